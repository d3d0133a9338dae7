;; SPDX-License-Identifier: Apache-2.0
;;
;; Opens the store `secrets`. Rejects with 418 when it is told access-denied, with 500 when it is let in.
(import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
(import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
(data (i32.const 2048) "secrets")
(func $hook (result i32)
  (call $open (i32.const 2048) (i32.const 7) (i32.const 3000))
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store16 (i32.const 1028) (i32.const 500))
  ;; An error of case 1.
  (if (i32.and (i32.load8_u (i32.const 3000)) (i32.eq (i32.load8_u (i32.const 3004)) (i32.const 1)))
    (then (i32.store16 (i32.const 1028) (i32.const 418))))
  (i32.const 1024))
