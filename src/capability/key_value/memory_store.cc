// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/memory_store.h"

#include "capability/key_value/answer.h"
#include "capability/key_value/decimal.h"

namespace sandgate::capability {

MemoryStore::Entry* MemoryStore::touch(std::string_view key) {
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &*found->second;
}

void MemoryStore::erase(Entries::iterator entry) {
  bytes_ -= kEntryBytes + entry->key.size() + entry->value.size();
  by_key_.erase(entry->key);
  by_serial_.erase(entry->serial);
  entries_.erase(entry);
}

bool MemoryStore::put(std::string_view key, std::string_view value) {
  if (kEntryBytes + key.size() + value.size() > bytes_max_) return false;
  if (Entry* entry = touch(key)) {
    bytes_ += value.size();
    bytes_ -= entry->value.size();
    entry->value = value;
  } else {
    entries_.push_front({std::string(key), std::string(value), ++serials_});
    by_key_.emplace(entries_.front().key, entries_.begin());
    by_serial_.emplace(serials_, entries_.begin());
    bytes_ += kEntryBytes + key.size() + value.size();
  }
  // The entry itself is in front and fits.
  while (bytes_ > bytes_max_) erase(std::prev(entries_.end()));
  return true;
}

std::optional<std::string> MemoryStore::get(std::string_view key) {
  std::lock_guard lock(mutex_);
  Entry* entry = touch(key);
  if (entry == nullptr) return std::nullopt;
  return entry->value;
}

bool MemoryStore::set(std::string_view key, std::string_view value) {
  std::lock_guard lock(mutex_);
  return put(key, value);
}

void MemoryStore::remove(std::string_view key) {
  std::lock_guard lock(mutex_);
  if (auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
}

bool MemoryStore::exists(std::string_view key) {
  std::lock_guard lock(mutex_);
  return touch(key) != nullptr;
}

std::expected<std::int64_t, std::string_view> MemoryStore::increment(std::string_view key, std::int64_t delta) {
  std::lock_guard lock(mutex_);
  std::int64_t number = 0;
  if (Entry* entry = touch(key)) {
    std::optional<std::int64_t> parsed = parse_decimal<std::int64_t>(entry->value);
    if (!parsed) return std::unexpected(kNoNumber);
    number = *parsed;
  }
  if (__builtin_add_overflow(number, delta, &number)) return std::unexpected(kBeyond64Bits);
  if (!put(key, std::to_string(number))) return std::unexpected(kEntryTooLarge);
  return number;
}

std::expected<bool, std::string_view> MemoryStore::compare_and_swap(std::string_view key,
                                                                    std::optional<std::string_view> expected,
                                                                    std::string_view value) {
  std::lock_guard lock(mutex_);
  Entry* entry = touch(key);
  bool same = expected ? entry != nullptr && entry->value == *expected : entry == nullptr;
  if (!same) return false;
  if (!put(key, value)) return std::unexpected(kEntryTooLarge);
  return true;
}

MemoryStore::Page MemoryStore::list(std::uint64_t cursor, std::size_t keys_max, std::size_t bytes_max) {
  std::lock_guard lock(mutex_);
  Page page;
  std::size_t bytes = 0;
  for (auto at = by_serial_.upper_bound(cursor); at != by_serial_.end(); ++at) {
    bytes += at->second->key.size();
    if (page.keys.size() == keys_max || bytes > bytes_max) {
      page.cursor = std::prev(at)->first;
      break;
    }
    page.keys.push_back(at->second->key);
  }
  return page;
}

std::size_t MemoryStore::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace sandgate::capability
