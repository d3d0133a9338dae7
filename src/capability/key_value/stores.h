// SPDX-License-Identifier: Apache-2.0
//
// One kind of key-value stores: in memory, in a file, in Redis. The same operations have the same answers in each, as
// stores_test.cc holds them to. Thread-safe. Destroyed after the loops have ended and before the engine of the guests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "capability/key_value/answer.h"
#include "sandbox/instance_host.h"

namespace sandgate::capability {

struct StoreLimits {
  // Of one store, keys, values and bookkeeping together: some 300,000 counters. Redis has a bound of its own.
  std::size_t bytes_max = std::size_t{64} << 20;
  // All that modules may name, and that many bytes at worst.
  std::size_t stores_max = 64;
};

class Stores {
 public:
  virtual ~Stores() = default;
  // The store's number, for requests. Makes it when there is none. Nothing when there are too many.
  virtual std::optional<std::uint64_t> open(std::string_view name) = 0;
  // Answers every operation but kOpen, at once or later; a bucket that open() did not give is kNoSuchStore. On the
  // thread of the loop with this index, which it never blocks. Whether the module may use it is the caller's to know.
  virtual void serve(unsigned loop, const sandbox::KeyValueRequest& request, Done done) = 0;
  // Whether what is shared can be reached now; nothing when the question makes no sense.
  virtual std::optional<bool> reachable() const { return std::nullopt; }
  // Lets go of what lives on the loops, while they run. Operations after it find nobody.
  virtual void stop() {}
};

}  // namespace sandgate::capability
