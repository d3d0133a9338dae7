;; SPDX-License-Identifier: Apache-2.0
;;
;; A body of 12 MiB, more than the budget lets out.
(memory (export "memory") 400)
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  (i32.store8 (i32.const 1056) (i32.const 1))
  (i32.store (i32.const 1060) (i32.const 4194304)) (i32.store (i32.const 1064) (i32.const 12582912))
  (i32.const 1024))
