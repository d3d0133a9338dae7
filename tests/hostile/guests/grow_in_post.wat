;; SPDX-License-Identifier: Apache-2.0
;;
;; Answers, and takes all memory it can get, and writes it, in the post-return function; then traps.
(func $post
  (local $page i32)
  (loop $again
    (local.set $page (memory.grow (i32.const 16)))
    (if (i32.ne (local.get $page) (i32.const -1))
      (then
        (memory.fill (i32.shl (local.get $page) (i32.const 16)) (i32.const 165) (i32.const 1048576))
        (br $again))))
  (unreachable))
