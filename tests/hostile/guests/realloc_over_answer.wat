;; SPDX-License-Identifier: Apache-2.0
;;
;; Its allocator gives the host the place of the answer, which is so made of the request's own bytes.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
