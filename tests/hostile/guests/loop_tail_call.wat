;; SPDX-License-Identifier: Apache-2.0
;;
;; A loop without a branch: two functions that end in calls of each other.
(func $ping (result i32) (return_call $pong))
(func $pong (result i32) (return_call $ping))
(func $hook (result i32) (return_call $ping))
