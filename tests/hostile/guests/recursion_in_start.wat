;; SPDX-License-Identifier: Apache-2.0
;;
;; Calls itself for ever while it is instantiated.
(func $deeper (param i64) (result i64) (i64.add (call $deeper (local.get 0)) (i64.const 1)))
(func $start (drop (call $deeper (i64.const 1))))
(start $start)
