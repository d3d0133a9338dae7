;; SPDX-License-Identifier: Apache-2.0
;;
;; Asks for the time, again and again.
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
(func $hook (result i32)
  (loop $again (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 2048))) (br $again))
  (unreachable))
