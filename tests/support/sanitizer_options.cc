// SPDX-License-Identifier: Apache-2.0
//
// What the sanitizers assume in every program that the presets asan, tsan and fuzz build; *_OPTIONS in the environment
// go first.

extern "C" const char* __asan_default_options() {
  // Guests run on fibers: the fake stacks of use-after-return detection do not follow a switch of stacks.
  return "detect_stack_use_after_return=0:strict_string_checks=1:check_initialization_order=1";
}

extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1"; }

extern "C" const char* __tsan_default_options() { return "second_deadlock_stack=1"; }
