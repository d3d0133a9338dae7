;; SPDX-License-Identifier: Apache-2.0
;;
;; Its allocator traps.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
