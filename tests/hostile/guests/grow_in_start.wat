;; SPDX-License-Identifier: Apache-2.0
;;
;; Takes all memory it can get while it is instantiated, then traps.
(func $start (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable))
(start $start)
