// SPDX-License-Identifier: Apache-2.0
//
// Looks names up on a thread of its own, because the system's look-up blocks. The thread starts with the first
// question. Ends before the loops that its answers go to; no answer comes after that, even if the system is still busy
// with one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace sandgate::net {

class Resolver {
 public:
  using LookUp = std::function<Result<std::vector<Address>>(std::string_view host, std::uint16_t port)>;
  using Answer = std::function<void(Result<std::vector<Address>> addresses)>;

  // Questions that wait: one for each server of sixteen large upstreams. Beyond it the look-up is left for the next
  // time.
  static constexpr std::size_t kQuestionsMax = 1024;

  explicit Resolver(LookUp look_up = &resolve_all);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // `answer` is called on the resolver's thread and must only post to a loop. False, and nothing follows, when too many
  // questions wait. Any thread.
  [[nodiscard]] bool ask(std::string host, std::uint16_t port, Answer answer);

 private:
  struct State;
  static void run(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace sandgate::net
