// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/memory_stores.h"

#include <algorithm>
#include <utility>

#include "capability/key_value/decimal.h"
#include "capability/key_value/memory_store.h"

namespace sandgate::capability {
namespace {

using sandbox::KeyValueOperation;
using sandbox::KeyValueReply;
using sandbox::KeyValueRequest;
using sandbox::KeyValueStatus;

Answer get_all(MemoryStore& store, const KeyValueRequest& request) {
  Answer answer;
  answer.entries.reserve(request.keys.size());
  std::size_t bytes = 0;
  for (std::string_view key : request.keys) {
    answer.entries.push_back(store.get(key));
    bytes += answer.entries.back() ? answer.entries.back()->size() : 0;
    if (bytes > KeyValueReply::kBytesMax) return refusal(kReplyTooLarge);
  }
  return answer;
}

Answer set_all(MemoryStore& store, const KeyValueRequest& request) {
  for (std::size_t i = 0; i < request.keys.size(); ++i) {
    if (!store.set(request.keys[i], request.values[i])) return refusal(kEntryTooLarge);
  }
  return {};
}

Answer remove_all(MemoryStore& store, const KeyValueRequest& request) {
  for (std::string_view key : request.keys) store.remove(key);
  return {};
}

Answer list_keys(MemoryStore& store, const KeyValueRequest& request) {
  std::uint64_t cursor = 0;
  if (request.cursor) {
    std::optional<std::uint64_t> parsed = parse_decimal<std::uint64_t>(*request.cursor);
    if (!parsed) return refusal(kForeignCursor);
    cursor = *parsed;
  }
  MemoryStore::Page page = store.list(cursor, KeyValueReply::kKeysMax, KeyValueReply::kBytesMax);
  Answer answer;
  answer.keys = std::move(page.keys);
  if (page.cursor) answer.cursor = std::to_string(*page.cursor);
  return answer;
}

Answer increment(MemoryStore& store, const KeyValueRequest& request) {
  std::expected<std::int64_t, std::string_view> sum = store.increment(request.keys[0], request.delta);
  if (!sum) return refusal(std::string(sum.error()));
  Answer answer;
  answer.number = *sum;
  return answer;
}

Answer compare_and_swap(MemoryStore& store, const KeyValueRequest& request) {
  std::expected<bool, std::string_view> swapped =
      store.compare_and_swap(request.keys[0], request.expected, request.values[0]);
  if (!swapped) return refusal(std::string(swapped.error()));
  Answer answer;
  answer.yes = *swapped;
  return answer;
}

Answer exists(MemoryStore& store, const KeyValueRequest& request) {
  Answer answer;
  answer.yes = store.exists(request.keys[0]);
  return answer;
}

Answer no_such_store() {
  Answer answer;
  answer.status = KeyValueStatus::kNoSuchStore;
  return answer;
}

}  // namespace

Answer answer_from(MemoryStore& store, const KeyValueRequest& request) {
  switch (request.operation) {
    case KeyValueOperation::kOpen: break;
    case KeyValueOperation::kGet:
    case KeyValueOperation::kGetMany: return get_all(store, request);
    case KeyValueOperation::kSet:
    case KeyValueOperation::kSetMany: return set_all(store, request);
    case KeyValueOperation::kDelete:
    case KeyValueOperation::kDeleteMany: return remove_all(store, request);
    case KeyValueOperation::kExists: return exists(store, request);
    case KeyValueOperation::kListKeys: return list_keys(store, request);
    case KeyValueOperation::kIncrement: return increment(store, request);
    case KeyValueOperation::kCompareAndSwap: return compare_and_swap(store, request);
  }
  return no_such_store();
}

MemoryStores::MemoryStores(const StoreLimits& limits) : limits_(limits), names_(limits.stores_max) {}
MemoryStores::~MemoryStores() = default;

Answer MemoryStores::answer(const KeyValueRequest& request) {
  if (!names_.name(request.bucket)) return no_such_store();
  std::shared_ptr<MemoryStore> store;
  {
    std::lock_guard lock(mutex_);
    if (stores_.size() <= request.bucket) stores_.resize(request.bucket + 1);
    std::shared_ptr<MemoryStore>& place = stores_[request.bucket];
    if (place == nullptr) place = std::make_shared<MemoryStore>(limits_.bytes_max);
    store = place;
  }
  return answer_from(*store, request);
}

void MemoryStores::serve(unsigned, const KeyValueRequest& request, Done done) { done(answer(request)); }

void MemoryStores::clear() {
  std::vector<std::shared_ptr<MemoryStore>> dropped;  // destroyed after the lock
  std::lock_guard lock(mutex_);
  dropped.swap(stores_);
}

}  // namespace sandgate::capability
