;; SPDX-License-Identifier: Apache-2.0
;;
;; Answers, then calls itself for ever in the post-return function.
(func $deeper (param i64) (result i64) (i64.add (call $deeper (local.get 0)) (i64.const 1)))
(func $post (drop (call $deeper (i64.const 1))))
