// SPDX-License-Identifier: Apache-2.0
//
// The key-value stores of a process, whichever kind was configured: what guests reach, counted. One per process, made
// before the loops run; stop() while they run, destroyed after they ended and before the engine of the guests.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capability/key_value/state_metrics.h"
#include "capability/key_value/state_options.h"
#include "capability/key_value/stores.h"
#include "sandbox/instance_host.h"

namespace sandgate::net {
class LoopThread;
}

namespace sandgate::capability {

class State {
 public:
  // `loops` by index; they outlive this. Blocking: opens files. Errors name state.url: kInvalid, kUnsupported, kDenied.
  // A Redis that cannot be reached is none.
  static Result<std::unique_ptr<State>> create(const StateOptions& options, const std::vector<net::LoopThread*>& loops);
  // Of these stores: for tests.
  explicit State(std::unique_ptr<Stores> stores, std::string text = "memory")
      : stores_(std::move(stores)), text_(std::move(text)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::optional<std::uint64_t> open(std::string_view name) { return stores_->open(name); }
  // As Stores::serve; the guest gets the answer.
  void serve(unsigned loop, const sandbox::KeyValueRequest& request, sandbox::KeyValueCompletion completion);
  void stop() { stores_->stop(); }

  const StateMetrics& metrics() const { return metrics_; }
  std::optional<bool> reachable() const { return stores_->reachable(); }
  // Where it is kept, for logs: no passwords.
  const std::string& text() const { return text_; }

 private:
  StateMetrics metrics_;  // before the stores, which count until they end
  std::unique_ptr<Stores> stores_;
  std::string text_;
};

}  // namespace sandgate::capability
