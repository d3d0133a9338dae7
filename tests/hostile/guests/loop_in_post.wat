;; SPDX-License-Identifier: Apache-2.0
;;
;; Answers, then never returns from the post-return function.
(func $post (loop $again (br $again)))
