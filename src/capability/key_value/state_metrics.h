// SPDX-License-Identifier: Apache-2.0
//
// What operations on stores came to and how long they took. Any thread; lock-free. One per process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/loop.h"
#include "capability/key_value/answer.h"
#include "sandbox/instance_host.h"

namespace sandgate::capability {

struct StateMetrics {
  using Number = std::atomic<std::uint64_t>;

  // By KeyValueOperation, but for kOpen, which reaches no store.
  static constexpr std::array<std::string_view, 11> kOperations = {
      "open",     "get",      "set",        "delete", "exists", "list_keys", "increment", "compare_and_swap",
      "get_many", "set_many", "delete_many"};
  // The store answered; it refused, as with a value that is no number; nobody could answer; and the two stand-ins.
  enum class Outcome : unsigned char { kOk, kRefused, kUnavailable, kOpen, kLocal };
  static constexpr std::array<std::string_view, 5> kOutcomes = {"ok", "refused", "unavailable", "open", "local"};

  struct Bound {
    std::int64_t ns;
    std::string_view seconds;
  };
  static constexpr std::array<Bound, 11> kBounds = {{{10'000, "0.00001"},
                                                     {50'000, "0.00005"},
                                                     {100'000, "0.0001"},
                                                     {250'000, "0.00025"},
                                                     {500'000, "0.0005"},
                                                     {1'000'000, "0.001"},
                                                     {2'500'000, "0.0025"},
                                                     {10'000'000, "0.01"},
                                                     {50'000'000, "0.05"},
                                                     {250'000'000, "0.25"},
                                                     {1'000'000'000, "1"}}};

  std::array<std::array<Number, kOutcomes.size()>, kOperations.size()> operations{};
  std::array<Number, kBounds.size() + 1> buckets{};  // each counts what is above the bound before it
  Number sum_ns{0};

  void count(sandbox::KeyValueOperation operation, const Answer& answer, Nanoseconds took);
};

}  // namespace sandgate::capability
