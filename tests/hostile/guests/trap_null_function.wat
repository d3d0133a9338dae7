;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls an element of its table that is null.
(type $nothing (func))
(table 1 funcref)
(func $hook (result i32) (call_indirect (type $nothing) (i32.const 0)) (i32.const 1024))
