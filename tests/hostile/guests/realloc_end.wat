;; SPDX-License-Identifier: Apache-2.0
;;
;; Its allocator gives the host the last byte of the memory.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1048575))
