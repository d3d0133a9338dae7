;; SPDX-License-Identifier: Apache-2.0
;;
;; Opens a file. Rejects with 418 when it is refused, with 500 when it is let in.
(import "wasi_snapshot_preview1" "path_open"
  (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
(data (i32.const 4096) "/etc/passwd")
(func $hook (result i32)
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store16 (i32.const 1028) (i32.const 500))
  (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 4096) (i32.const 11) (i32.const 0)
      (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 2048))
    (then (i32.store16 (i32.const 1028) (i32.const 418))))
  (i32.const 1024))
