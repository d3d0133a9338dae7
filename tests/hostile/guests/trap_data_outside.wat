;; SPDX-License-Identifier: Apache-2.0
;;
;; Its data lies beyond its memory, which shows when it is instantiated.
(data (i32.const 1048570) "beyond the end")
