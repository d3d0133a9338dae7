// SPDX-License-Identifier: Apache-2.0
//
// A request that outlives the call it came with: for stores that answer later.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/instance_host.h"

namespace sandgate::capability {

class OwnedRequest {
 public:
  explicit OwnedRequest(const sandbox::KeyValueRequest& request);
  OwnedRequest(OwnedRequest&&) = default;  // vectors keep their elements, so the views stay
  OwnedRequest& operator=(OwnedRequest&&) = default;

  // Valid while this is, as long as it is not moved from.
  sandbox::KeyValueRequest view() const;
  // Of its texts.
  std::size_t bytes() const;

 private:
  sandbox::KeyValueOperation operation_;
  std::uint64_t bucket_;
  std::int64_t delta_;
  std::vector<std::string> keys_;
  std::vector<std::string> values_;
  std::vector<std::string_view> key_views_;
  std::vector<std::string_view> value_views_;
  // In vectors of at most one: a moved std::string may leave its views behind.
  std::vector<std::string> expected_;
  std::vector<std::string> cursor_;
};

}  // namespace sandgate::capability
