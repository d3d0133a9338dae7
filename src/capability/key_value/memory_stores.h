// SPDX-License-Identifier: Apache-2.0
//
// Key-value stores in the memory of the process, shared by all modules and threads that are allowed to open them. A
// store is a cache of bounded size: when it is full, what was used the longest ago goes first. Answers at once.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "capability/key_value/store_names.h"
#include "capability/key_value/stores.h"

namespace sandgate::capability {

class MemoryStore;

// What a store in memory says to any operation but kOpen.
Answer answer_from(MemoryStore& store, const sandbox::KeyValueRequest& request);

class MemoryStores final : public Stores {
 public:
  explicit MemoryStores(const StoreLimits& limits);
  ~MemoryStores() override;

  std::optional<std::uint64_t> open(std::string_view name) override { return names_.number(name); }
  void serve(unsigned loop, const sandbox::KeyValueRequest& request, Done done) override;
  // The same, returned.
  Answer answer(const sandbox::KeyValueRequest& request);
  // Forgets every entry; numbers of stores stay.
  void clear();

 private:
  const StoreLimits limits_;
  StoreNames names_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<MemoryStore>> stores_;  // by number; guarded
};

}  // namespace sandgate::capability
