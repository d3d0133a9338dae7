;; SPDX-License-Identifier: Apache-2.0
;;
;; Asks for 64 KiB of random bytes, again and again.
(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
(func $hook (result i32)
  (loop $again (drop (call $random (i32.const 524288) (i32.const 65536))) (br $again))
  (unreachable))
