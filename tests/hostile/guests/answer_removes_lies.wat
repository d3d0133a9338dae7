;; SPDX-License-Identifier: Apache-2.0
;;
;; A list of names to remove that is larger than the memory.
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  (i32.store (i32.const 1048) (i32.const 2048)) (i32.store (i32.const 1052) (i32.const 0x0fffffff))
  (i32.const 1024))
