// SPDX-License-Identifier: Apache-2.0
//
// Lets a coroutine wait until the loop had its turn: others are served, and whoever called into it has returned.
#pragma once

#include <coroutine>

#include "base/loop.h"

namespace sandgate::net {

struct NextTurn {
  Loop& loop;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    loop.next_turn([](void* frame) { std::coroutine_handle<>::from_address(frame).resume(); }, waiter.address());
  }
  void await_resume() const noexcept {}
};

}  // namespace sandgate::net
