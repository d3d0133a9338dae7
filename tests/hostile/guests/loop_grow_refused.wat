;; SPDX-License-Identifier: Apache-2.0
;;
;; Goes on asking for memory that it is refused.
(func $hook (result i32)
  (loop $again (drop (memory.grow (i32.const 1))) (br $again))
  (unreachable))
