;; SPDX-License-Identifier: Apache-2.0
;;
;; Fills a table of 100,000 elements, again and again.
(table $t 100000 funcref)
(func $hook (result i32)
  (loop $again (table.fill $t (i32.const 0) (ref.null func) (i32.const 100000)) (br $again))
  (unreachable))
