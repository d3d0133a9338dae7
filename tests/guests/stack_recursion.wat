;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls itself until the engine's stack is used up. No memory is involved: the linear stack of a C++ guest would end first.
(module
  (memory (export "memory") 16)
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
  (func $deeper (param $n i64) (result i64)
    (i64.add (call $deeper (i64.add (local.get $n) (i64.const 1))) (local.get $n)))
  (func (export "sgl:router/middleware-on-request#on-request")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (drop (call $deeper (i64.const 0)))
    (i32.const 1024))
  (func (export "sgl:router/middleware-on-response#on-response") (param i32 i32 i32 i32 i32) (result i32)
    (drop (call $deeper (i64.const 0)))
    (i32.const 1024)))
