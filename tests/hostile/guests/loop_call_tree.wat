;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls that double at each of 64 levels: 2^64 of them, at no depth to speak of.
(func $tree (param $level i32)
  (if (local.get $level)
    (then
      (call $tree (i32.sub (local.get $level) (i32.const 1)))
      (call $tree (i32.sub (local.get $level) (i32.const 1))))))
(func $hook (result i32) (call $tree (i32.const 64)) (i32.const 1024))
