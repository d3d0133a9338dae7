;; SPDX-License-Identifier: Apache-2.0
;;
;; Its allocator gives the host an address outside of the memory.
(module
  (memory (export "memory") 16)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 0xfffff000))
  ;; An action of 44 zero bytes at 1024 is "continue".
  (func (export "sgl:router/middleware-on-request#on-request")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (i32.const 1024))
  (func (export "sgl:router/middleware-on-response#on-response") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
