;; SPDX-License-Identifier: Apache-2.0
;;
;; Sets Host to what is no authority, adds a second one, and removes it.
(data (i32.const 4096) "hosta b@c/d")
;; At 2048 {"host", "a b@c/d"}, at 2080 the name alone.
(data (i32.const 2048) "\00\10\00\00\04\00\00\00\04\10\00\00\07\00\00\00")
(data (i32.const 2080) "\00\10\00\00\04\00\00\00")
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  (i32.store (i32.const 1032) (i32.const 2048)) (i32.store (i32.const 1036) (i32.const 1))
  (i32.store (i32.const 1040) (i32.const 2048)) (i32.store (i32.const 1044) (i32.const 1))
  (i32.store (i32.const 1048) (i32.const 2080)) (i32.store (i32.const 1052) (i32.const 1))
  (i32.const 1024))
