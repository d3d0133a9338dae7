;; SPDX-License-Identifier: Apache-2.0
;;
;; Wants 4 GiB in one instruction, traps without.
(func $hook (result i32)
  (if (i32.eq (memory.grow (i32.const 65535)) (i32.const -1)) (then (unreachable)))
  (i32.const 1024))
