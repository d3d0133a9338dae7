;; SPDX-License-Identifier: Apache-2.0
;;
;; A loop that does nothing but indirect calls.
(type $nothing (func))
(table 2 funcref)
(elem (i32.const 0) $one $two)
(func $one)
(func $two)
(func $hook (result i32)
  (local $i i32)
  (loop $again
    (local.set $i (i32.xor (local.get $i) (i32.const 1)))
    (call_indirect (type $nothing) (local.get $i))
    (br $again))
  (unreachable))
