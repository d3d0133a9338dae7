// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/memory_stores.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "capability/key_value/memory_store.h"

namespace sandgate::capability {
namespace {

using sandbox::KeyValueCompletion;
using sandbox::KeyValueOperation;
using sandbox::KeyValueReply;
using sandbox::KeyValueRequest;
using sandbox::KeyValueStatus;

constexpr std::string_view kEntryTooLarge = "the entry is larger than the store";

KeyValueReply other(std::string_view message) { return {.status = KeyValueStatus::kOther, .message = message}; }

// What values of one reply may have together.
constexpr std::size_t kReplyBytesMax = KeyValueReply::kBytesMax;

void get_all(MemoryStore& store, const KeyValueRequest& request, KeyValueCompletion& completion) {
  std::vector<std::optional<std::string>> values;
  values.reserve(request.keys.size());
  std::size_t bytes = 0;
  for (std::string_view key : request.keys) {
    values.push_back(store.get(key));
    bytes += values.back() ? values.back()->size() : 0;
    if (bytes > kReplyBytesMax) return completion.finish(other("the values are larger than one reply may be"));
  }
  std::vector<std::optional<std::string_view>> entries(values.begin(), values.end());
  completion.finish({.entries = entries});
}

void set_all(MemoryStore& store, const KeyValueRequest& request, KeyValueCompletion& completion) {
  for (std::size_t i = 0; i < request.keys.size(); ++i) {
    if (!store.set(request.keys[i], request.values[i])) return completion.finish(other(kEntryTooLarge));
  }
  completion.finish({});
}

void list_keys(MemoryStore& store, const KeyValueRequest& request, KeyValueCompletion& completion) {
  std::uint64_t cursor = 0;
  if (request.cursor) {
    const char* end = request.cursor->data() + request.cursor->size();
    auto parsed = std::from_chars(request.cursor->data(), end, cursor);
    if (parsed.ec != std::errc() || parsed.ptr != end) return completion.finish(other("the cursor is not ours"));
  }
  MemoryStore::Page page = store.list(cursor, KeyValueReply::kKeysMax, kReplyBytesMax);
  std::vector<std::string_view> keys(page.keys.begin(), page.keys.end());
  std::string next = page.cursor ? std::to_string(*page.cursor) : std::string();
  KeyValueReply reply{.keys = keys};
  if (page.cursor) reply.cursor = next;
  completion.finish(reply);
}

void increment(MemoryStore& store, const KeyValueRequest& request, KeyValueCompletion& completion) {
  std::expected<std::int64_t, std::string_view> sum = store.increment(request.keys[0], request.delta);
  completion.finish(sum ? KeyValueReply{.number = *sum} : other(sum.error()));
}

void compare_and_swap(MemoryStore& store, const KeyValueRequest& request, KeyValueCompletion& completion) {
  std::expected<bool, std::string_view> swapped =
      store.compare_and_swap(request.keys[0], request.expected, request.values[0]);
  completion.finish(swapped ? KeyValueReply{.yes = *swapped} : other(swapped.error()));
}

void answer(MemoryStore& store, const KeyValueRequest& request, KeyValueCompletion& completion) {
  switch (request.operation) {
    case KeyValueOperation::kOpen: return completion.finish({.status = KeyValueStatus::kNoSuchStore});
    case KeyValueOperation::kGet:
    case KeyValueOperation::kGetMany: return get_all(store, request, completion);
    case KeyValueOperation::kSet:
    case KeyValueOperation::kSetMany: return set_all(store, request, completion);
    case KeyValueOperation::kDelete:
    case KeyValueOperation::kDeleteMany:
      for (std::string_view key : request.keys) store.remove(key);
      return completion.finish({});
    case KeyValueOperation::kExists: return completion.finish({.yes = store.exists(request.keys[0])});
    case KeyValueOperation::kListKeys: return list_keys(store, request, completion);
    case KeyValueOperation::kIncrement: return increment(store, request, completion);
    case KeyValueOperation::kCompareAndSwap: return compare_and_swap(store, request, completion);
  }
}

}  // namespace

MemoryStores::MemoryStores() : MemoryStores(Limits()) {}
MemoryStores::MemoryStores(const Limits& limits) : limits_(limits) {}
MemoryStores::~MemoryStores() = default;

std::optional<std::uint64_t> MemoryStores::open(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = std::ranges::find_if(stores_, [name](const auto& store) { return store.first == name; });
  if (found != stores_.end()) return static_cast<std::uint64_t>(found - stores_.begin());
  if (stores_.size() >= limits_.stores_max) return std::nullopt;
  stores_.emplace_back(name, std::make_shared<MemoryStore>(limits_.bytes_max));
  return stores_.size() - 1;
}

std::shared_ptr<MemoryStore> MemoryStores::find(std::uint64_t bucket) {
  std::lock_guard lock(mutex_);
  return bucket < stores_.size() ? stores_[bucket].second : nullptr;
}

void MemoryStores::serve(const KeyValueRequest& request, KeyValueCompletion completion) {
  std::shared_ptr<MemoryStore> store = find(request.bucket);
  if (store == nullptr) return completion.finish({.status = KeyValueStatus::kNoSuchStore});
  answer(*store, request, completion);
}

}  // namespace sandgate::capability
