;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes 1 MiB to standard output through WASI preview 1, in lines of 1 KiB, then lets the request pass.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
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
  ;; 1100: one iovec {address 2048, 1024 bytes}; 1108: where the count of written bytes goes.
  (data (i32.const 1100) "\00\08\00\00\00\04\00\00")
  (func (export "sgl:router/middleware-on-request#on-request")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (local $left i32)
    (memory.fill (i32.const 2048) (i32.const 102) (i32.const 1023))
    (i32.store8 (i32.const 3071) (i32.const 10))
    (local.set $left (i32.const 1024))
    (loop $again
      (drop (call $fd_write (i32.const 1) (i32.const 1100) (i32.const 1) (i32.const 1108)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 1024)))
