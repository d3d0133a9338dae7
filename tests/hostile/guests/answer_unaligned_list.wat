;; SPDX-License-Identifier: Apache-2.0
;;
;; A list of fields at an odd address.
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  (i32.store (i32.const 1032) (i32.const 2049)) (i32.store (i32.const 1036) (i32.const 1))
  (i32.const 1024))
