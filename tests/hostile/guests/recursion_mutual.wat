;; SPDX-License-Identifier: Apache-2.0
;;
;; Two functions that call each other for ever.
(func $ping (param i64) (result i64) (i64.add (call $pong (local.get 0)) (local.get 0)))
(func $pong (param i64) (result i64) (i64.sub (call $ping (local.get 0)) (local.get 0)))
(func $hook (result i32) (drop (call $ping (i64.const 1))) (i32.const 1024))
