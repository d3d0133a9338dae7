;; SPDX-License-Identifier: Apache-2.0
;;
;; Ends the program while it is instantiated.
(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
(func $start (call $exit (i32.const 0)))
(start $start)
