;; SPDX-License-Identifier: Apache-2.0
;;
;; Asks for no memory at all, again and again, which is never refused.
(func $hook (result i32)
  (loop $again (drop (memory.grow (i32.const 0))) (br $again))
  (unreachable))
