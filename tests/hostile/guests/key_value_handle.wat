;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes through a handle that nobody gave it.
(import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
(import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
(func $hook (result i32)
  (call $set (i32.const 77) (i32.const 4096) (i32.const 1) (i32.const 4096) (i32.const 1) (i32.const 3000))
  (i32.const 1024))
