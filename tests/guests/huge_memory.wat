;; SPDX-License-Identifier: Apache-2.0
;;
;; Declares 2 GiB of memory to begin with.
(module
  (memory (export "memory") 32768)
  ;; A bump allocator without an end: the first pages hold what these tests send.
  (global $top (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  ;; An action of 44 zero bytes at 1024 is "continue".
  (func (export "sgl:router/middleware-on-request#on-request")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (i32.const 1024))
  (func (export "sgl:router/middleware-on-response#on-response") (param i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024)))
