;; SPDX-License-Identifier: Apache-2.0
;;
;; A value that begins inside of the memory and ends outside.
(data (i32.const 2048) "\00\10\00\00\03\00\00\00\f0\ff\0f\00\20\00\00")
(data (i32.const 4096) "x-a")
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  (i32.store (i32.const 1032) (i32.const 2048)) (i32.store (i32.const 1036) (i32.const 1))
  (i32.const 1024))
