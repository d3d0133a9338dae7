;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes just beyond its memory.
(func $hook (result i32) (i32.store8 (i32.const 1048576) (i32.const 1)) (i32.const 1024))
