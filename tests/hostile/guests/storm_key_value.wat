;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes 4 KiB under one new key after the other into the store `shared`, which it must be allowed to open.
(import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
(import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
(data (i32.const 2048) "shared")
(func $hook (result i32)
  (local $bucket i32)
  (call $open (i32.const 2048) (i32.const 6) (i32.const 3000))
  (if (i32.load8_u (i32.const 3000)) (then (unreachable)))
  (local.set $bucket (i32.load (i32.const 3004)))
  (i32.store (i32.const 4096) (i32.const 0x30303030))
  (loop $again
    ;; Keys of four bytes of UTF-8: the lowest seven bits of each.
    (i32.store (i32.const 4096)
      (i32.and (i32.add (i32.load (i32.const 4096)) (i32.const 0x01010107)) (i32.const 0x7f7f7f7f)))
    (call $set (local.get $bucket) (i32.const 4096) (i32.const 4) (i32.const 8192) (i32.const 4096) (i32.const 3000))
    (br $again))
  (unreachable))
