;; SPDX-License-Identifier: Apache-2.0
;;
;; Traps while it is instantiated.
(func $start (unreachable))
(start $start)
