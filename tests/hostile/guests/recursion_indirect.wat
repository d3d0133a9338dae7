;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls itself through a table for ever.
(type $deeper (func (param i64) (result i64)))
(table 1 funcref)
(elem (i32.const 0) $one)
(func $one (type $deeper)
  (i64.add (call_indirect (type $deeper) (local.get 0) (i32.const 0)) (local.get 0)))
(func $hook (result i32) (drop (call $one (i64.const 1))) (i32.const 1024))
