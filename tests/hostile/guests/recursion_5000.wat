;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls itself 5,000 levels deep and comes back: too much for 64 KiB of stack, little for 1 MiB.
(func $deeper (param $level i64) (result i64)
  (if (result i64) (i64.eqz (local.get $level))
    (then (i64.const 0))
    (else (i64.add (call $deeper (i64.sub (local.get $level) (i64.const 1))) (local.get $level)))))
(func $hook (result i32) (drop (call $deeper (i64.const 5000))) (i32.const 1024))
