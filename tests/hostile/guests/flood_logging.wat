;; SPDX-License-Identifier: Apache-2.0
;;
;; Logs 1,000 lines, 1 KiB each, then lets the message pass.
(import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
(func $hook (result i32)
  (local $left i32)
  (memory.fill (i32.const 4096) (i32.const 102) (i32.const 1024))
  (local.set $left (i32.const 1000))
  (loop $again
    (call $log (i32.const 2) (i32.const 4096) (i32.const 4) (i32.const 4096) (i32.const 1024))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (i32.const 1024))
