// SPDX-License-Identifier: Apache-2.0
#include "gateway/handler_switch.h"

#include <functional>
#include <utility>

namespace sandgate::gateway {

HandlerSwitch::HandlerSwitch(std::span<Loop* const> loops)
    : all_loops_(loops.begin(), loops.end()), loops_(loops.size()) {}

void HandlerSwitch::set(std::shared_ptr<const Handler> next) {
  {
    std::lock_guard lock(mutex_);
    std::swap(latest_, next);
    version_.fetch_add(1, std::memory_order_release);
  }
  for (Loop* loop : all_loops_) {
    std::function<void()> take_over = [this, index = loop->index()] { (void)current(index); };
    loop->post(std::move(take_over));
  }
}

// The version is read first: a change in between costs a second look, never a missed one.
const std::shared_ptr<const HandlerSwitch::Hold>& HandlerSwitch::current(unsigned loop) const {
  LoopState& state = loops_[loop];
  if (std::uint64_t version = version_.load(std::memory_order_acquire); version != state.version) {
    std::shared_ptr<const Handler> latest;
    {
      std::lock_guard lock(mutex_);
      latest = latest_;
    }
    state.hold = std::make_shared<const Hold>(std::move(latest));
    state.version = version;
  }
  return state.hold;
}

Task<Status> HandlerSwitch::serve(Exchange& exchange) const {
  std::shared_ptr<const Hold> hold = current(exchange.loop().index());
  Status status = co_await hold->handler->serve(exchange);
  co_return status;
}

}  // namespace sandgate::gateway
