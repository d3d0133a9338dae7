;; SPDX-License-Identifier: Apache-2.0
;;
;; Makes an integer of what is not a number.
(func $hook (result i32) (i32.trunc_f64_s (f64.div (f64.const 0) (f64.load (i32.const 1024)))))
