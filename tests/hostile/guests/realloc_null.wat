;; SPDX-License-Identifier: Apache-2.0
;;
;; Its allocator gives the host address 0, which is an address like others.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
