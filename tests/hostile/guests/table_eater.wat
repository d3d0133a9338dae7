;; SPDX-License-Identifier: Apache-2.0
;;
;; Grows a table until it is refused, then traps.
(table $t 1 funcref)
(func $hook (result i32)
  (loop $again
    (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1024)) (i32.const -1))))
  (unreachable))
