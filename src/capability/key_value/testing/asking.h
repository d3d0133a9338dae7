// SPDX-License-Identifier: Apache-2.0
//
// Asks stores of any kind and waits for the answer, never for ever.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "capability/key_value/stores.h"

namespace sandgate::capability::testing {

using sandbox::KeyValueOperation;
using sandbox::KeyValueRequest;
using sandbox::KeyValueStatus;

// A slow shared machine needs less.
inline constexpr std::chrono::seconds kPatience{20};

class Asking {
 public:
  Asking(Stores& stores, std::string_view name, unsigned loop = 0)
      : stores_(stores), bucket_(stores.open(name).value_or(~std::uint64_t{0})), loop_(loop) {}

  // On the calling thread, which is no loop's: `serve_` is what hands over.
  std::future<Answer> begin(KeyValueRequest request) {
    request.bucket = bucket_;
    auto promise = std::make_shared<std::promise<Answer>>();
    std::future<Answer> future = promise->get_future();
    stores_.serve(loop_, request, [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return future;
  }
  Answer ask(const KeyValueRequest& request) {
    std::future<Answer> answer = begin(request);
    if (answer.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      return refusal("no answer");
    }
    return answer.get();
  }
  Answer ask(KeyValueOperation operation, const std::vector<std::string_view>& keys,
             const std::vector<std::string_view>& values = {}) {
    KeyValueRequest request;
    request.operation = operation;
    request.keys = keys;
    request.values = values;
    return ask(request);
  }

  std::optional<std::string> get(std::string_view key) {
    Answer answer = ask(KeyValueOperation::kGet, {key});
    EXPECT_EQ(answer.status, KeyValueStatus::kOk) << answer.message;
    return answer.entries.size() == 1 ? answer.entries[0] : std::nullopt;
  }
  Answer set(std::string_view key, std::string_view value) { return ask(KeyValueOperation::kSet, {key}, {value}); }
  Answer increment(std::string_view key, std::int64_t delta) {
    std::vector<std::string_view> keys = {key};
    KeyValueRequest request;
    request.operation = KeyValueOperation::kIncrement;
    request.keys = keys;
    request.delta = delta;
    return ask(request);
  }
  Answer swap(std::string_view key, std::optional<std::string_view> expected, std::string_view value) {
    std::vector<std::string_view> keys = {key};
    std::vector<std::string_view> values = {value};
    KeyValueRequest request;
    request.operation = KeyValueOperation::kCompareAndSwap;
    request.keys = keys;
    request.values = values;
    request.expected = expected;
    return ask(request);
  }
  Answer list(std::optional<std::string_view> cursor) {
    KeyValueRequest request;
    request.operation = KeyValueOperation::kListKeys;
    request.cursor = cursor;
    return ask(request);
  }

 private:
  Stores& stores_;
  const std::uint64_t bucket_;
  const unsigned loop_;
};

}  // namespace sandgate::capability::testing
