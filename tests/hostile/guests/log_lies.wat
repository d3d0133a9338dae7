;; SPDX-License-Identifier: Apache-2.0
;;
;; Logs a message that lies outside of its memory.
(import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
(func $hook (result i32)
  (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0xffff0000) (i32.const 1024))
  (i32.const 1024))
