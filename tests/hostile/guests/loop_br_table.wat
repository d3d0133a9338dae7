;; SPDX-License-Identifier: Apache-2.0
;;
;; A loop whose only way back is a branch table.
(func $hook (result i32)
  (local $i i32)
  (loop $again
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_table $again $again $again (i32.and (local.get $i) (i32.const 3))))
  (unreachable))
