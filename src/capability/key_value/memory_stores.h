// SPDX-License-Identifier: Apache-2.0
//
// Key-value stores in the memory of the process, shared by all modules and threads that are allowed to open them. A
// store is a cache of bounded size: when it is full, what was used the longest ago goes first. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/instance_host.h"

namespace sandgate::capability {

class MemoryStore;

class MemoryStores {
 public:
  struct Limits {
    // Of one store, keys, values and bookkeeping together: some 300,000 counters.
    std::size_t bytes_max = std::size_t{64} << 20;
    // All that modules may name, and that many bytes at worst.
    std::size_t stores_max = 64;
  };

  MemoryStores();
  explicit MemoryStores(const Limits& limits);
  ~MemoryStores();
  MemoryStores(const MemoryStores&) = delete;
  MemoryStores& operator=(const MemoryStores&) = delete;

  // The store's number, for requests. Makes it when there is none. Nothing when there are too many.
  std::optional<std::uint64_t> open(std::string_view name);
  // Answers every operation but kOpen, at once. A bucket that open() did not give is kNoSuchStore. Whether the module
  // may use it is the caller's to know.
  void serve(const sandbox::KeyValueRequest& request, sandbox::KeyValueCompletion completion);

 private:
  std::shared_ptr<MemoryStore> find(std::uint64_t bucket);

  const Limits limits_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<MemoryStore>>> stores_;  // by number
};

}  // namespace sandgate::capability
