;; SPDX-License-Identifier: Apache-2.0
;;
;; Moves 64 MiB by one byte with one instruction, again and again.
(memory (export "memory") 1024)
(func $hook (result i32)
  (loop $again (memory.copy (i32.const 1) (i32.const 0) (i32.const 67108863)) (br $again))
  (unreachable))
