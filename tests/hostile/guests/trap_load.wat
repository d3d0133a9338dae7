;; SPDX-License-Identifier: Apache-2.0
;;
;; Reads the last address there is.
(func $hook (result i32) (i32.load offset=0xfffffff0 (i32.const 0xfffffff0)))
