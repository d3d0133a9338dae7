;; SPDX-License-Identifier: Apache-2.0
;;
;; A valid core module that no guest interface recognises.
(module
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
