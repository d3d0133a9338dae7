;; SPDX-License-Identifier: Apache-2.0
;;
;; Ends the program with an error.
(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
(func $hook (result i32) (call $exit (i32.const 1)) (unreachable))
