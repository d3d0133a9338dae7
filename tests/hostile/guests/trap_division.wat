;; SPDX-License-Identifier: Apache-2.0
;;
;; Divides by zero.
(func $hook (result i32) (i32.div_u (i32.const 1) (i32.load (i32.const 1024))))
