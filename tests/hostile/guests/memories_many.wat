;; SPDX-License-Identifier: Apache-2.0
;;
;; Has two memories, which needs a proposal that is off.
(memory (export "memory") 16)
(memory 16)
