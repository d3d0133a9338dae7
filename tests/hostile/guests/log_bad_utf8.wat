;; SPDX-License-Identifier: Apache-2.0
;;
;; Logs a message that is no UTF-8.
(import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
(data (i32.const 4096) "\ff\fe")
(func $hook (result i32)
  (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 4096) (i32.const 2))
  (i32.const 1024))
