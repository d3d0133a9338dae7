;; SPDX-License-Identifier: Apache-2.0
;;
;; Its allocator gives the host the same place always, so that each text overwrites the one before.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
