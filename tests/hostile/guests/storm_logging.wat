;; SPDX-License-Identifier: Apache-2.0
;;
;; Logs 4 KiB at a time, again and again.
(import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
(func $hook (result i32)
  (memory.fill (i32.const 4096) (i32.const 102) (i32.const 4096))
  (loop $again
    (call $log (i32.const 2) (i32.const 4096) (i32.const 64) (i32.const 4096) (i32.const 4096))
    (br $again))
  (unreachable))
