;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls a function through a table as if it had another type.
(type $nothing (func))
(table 1 funcref)
(elem (i32.const 0) $hook)
(func $hook (result i32) (call_indirect (type $nothing) (i32.const 0)) (i32.const 1024))
