;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes lines of 1 KiB to standard output, again and again.
(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(data (i32.const 2048) "\00\10\00\00\00\04\00\00")
(func $hook (result i32)
  (memory.fill (i32.const 4096) (i32.const 102) (i32.const 1023))
  (i32.store8 (i32.const 5119) (i32.const 10))
  (loop $again
    (drop (call $write (i32.const 1) (i32.const 2048) (i32.const 1) (i32.const 2064)))
    (br $again))
  (unreachable))
