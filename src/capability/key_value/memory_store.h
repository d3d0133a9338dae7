// SPDX-License-Identifier: Apache-2.0
//
// One store in memory. Thread-safe: one lock, held for a hash lookup or a page of keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sandgate::capability {

class MemoryStore {
 public:
  // What an entry costs beyond its texts: nodes of three containers, measured.
  static constexpr std::size_t kEntryBytes = 224;

  explicit MemoryStore(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::optional<std::string> get(std::string_view key);
  // False when the entry alone is larger than the store.
  bool set(std::string_view key, std::string_view value);
  void remove(std::string_view key);
  bool exists(std::string_view key);
  // The new value. An error text when the value is no decimal number or the sum leaves 64 bits.
  std::expected<std::int64_t, std::string_view> increment(std::string_view key, std::int64_t delta);
  // Stores `value` when the key has the value `expected` (absent: when it is not there). Whether it did; an error text
  // when the entry is too large.
  std::expected<bool, std::string_view> compare_and_swap(std::string_view key, std::optional<std::string_view> expected,
                                                         std::string_view value);
  struct Page {
    std::vector<std::string> keys;
    std::optional<std::uint64_t> cursor;  // of the next page
  };
  // Keys in the order in which they were first set. Keys that stay meanwhile come exactly once.
  Page list(std::uint64_t cursor, std::size_t keys_max, std::size_t bytes_max);

  std::size_t bytes() const;

 private:
  struct Entry {
    std::string key;
    std::string value;
    std::uint64_t serial;
  };
  using Entries = std::list<Entry>;  // what was used last, first

  Entry* touch(std::string_view key);
  bool put(std::string_view key, std::string_view value);
  void erase(Entries::iterator entry);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views into the entries
  std::map<std::uint64_t, Entries::iterator> by_serial_;
  std::uint64_t serials_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sandgate::capability
