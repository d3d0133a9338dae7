;; SPDX-License-Identifier: Apache-2.0
;;
;; Sleeps through WASI preview 1's poll_oneoff for as many milliseconds as the request's body has bytes, then lets the request pass.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
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
  ;; 1024: the answer, all zero: continue. 2048: one subscription to the monotonic clock, relative; its time at 2072. 2100: the event.
  (data (i32.const 2064) "\01\00\00\00")
  (func (export "sgl:router/middleware-on-request#on-request")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (i64.store (i32.const 2072) (i64.mul (i64.extend_i32_u (local.get 9)) (i64.const 1000000)))
    (if (call $poll_oneoff (i32.const 2048) (i32.const 2104) (i32.const 1) (i32.const 2200)) (then (unreachable)))
    (i32.const 1024)))
