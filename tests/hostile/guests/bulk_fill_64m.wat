;; SPDX-License-Identifier: Apache-2.0
;;
;; Fills its whole memory of 64 MiB with one instruction, again and again.
(memory (export "memory") 1024)
(func $hook (result i32)
  (loop $again (memory.fill (i32.const 0) (i32.const 165) (i32.const 67108864)) (br $again))
  (unreachable))
