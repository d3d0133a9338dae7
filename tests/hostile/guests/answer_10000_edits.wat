;; SPDX-License-Identifier: Apache-2.0
;;
;; 10,000 fields to add, all the same one.
(data (i32.const 1000) "x-a1")
(func $hook (result i32)
  (local $at i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  (local.set $at (i32.const 131072))
  (loop $again
    (i32.store (local.get $at) (i32.const 1000)) (i32.store offset=4 (local.get $at) (i32.const 3))
    (i32.store offset=8 (local.get $at) (i32.const 1003)) (i32.store offset=12 (local.get $at) (i32.const 1))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br_if $again (i32.lt_u (local.get $at) (i32.const 291072))))
  (i32.store (i32.const 1040) (i32.const 131072)) (i32.store (i32.const 1044) (i32.const 10000))
  (i32.const 1024))
