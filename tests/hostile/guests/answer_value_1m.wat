;; SPDX-License-Identifier: Apache-2.0
;;
;; A field with a value of 1 MiB.
(memory (export "memory") 64)
(data (i32.const 2048) "\00\08\00\00\01\00\00\00\00\00\20\00\00\00\10\00")
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  (memory.fill (i32.const 2097152) (i32.const 97) (i32.const 1048576))
  (i32.store (i32.const 2048) (i32.const 2097152))
  (i32.store (i32.const 1032) (i32.const 2048)) (i32.store (i32.const 1036) (i32.const 1))
  (i32.const 1024))
