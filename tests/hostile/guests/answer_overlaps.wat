;; SPDX-License-Identifier: Apache-2.0
;;
;; A list of fields that lies in the answer itself: names and values are what its bytes happen to say.
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 2))
  ;; headers-set: 2 elements at the answer's own address.
  (i32.store (i32.const 1032) (i32.const 1024)) (i32.store (i32.const 1036) (i32.const 2))
  (i32.const 1024))
