;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls an element far outside of its table.
(type $nothing (func))
(table 1 funcref)
(func $hook (result i32) (call_indirect (type $nothing) (i32.const 0x7fffffff)) (i32.const 1024))
