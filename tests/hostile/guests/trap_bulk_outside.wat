;; SPDX-License-Identifier: Apache-2.0
;;
;; Fills from the last byte of its memory on, 4 GiB.
(func $hook (result i32) (memory.fill (i32.const 1048575) (i32.const 1) (i32.const -1)) (i32.const 1024))
