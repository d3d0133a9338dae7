// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/owned_request.h"

namespace sandgate::capability {

OwnedRequest::OwnedRequest(const sandbox::KeyValueRequest& request)
    : operation_(request.operation),
      bucket_(request.bucket),
      delta_(request.delta),
      keys_(request.keys.begin(), request.keys.end()),
      values_(request.values.begin(), request.values.end()),
      key_views_(keys_.begin(), keys_.end()),
      value_views_(values_.begin(), values_.end()) {
  if (request.expected) expected_.emplace_back(*request.expected);
  if (request.cursor) cursor_.emplace_back(*request.cursor);
}

sandbox::KeyValueRequest OwnedRequest::view() const {
  sandbox::KeyValueRequest request;
  request.operation = operation_;
  request.bucket = bucket_;
  request.delta = delta_;
  request.keys = key_views_;
  request.values = value_views_;
  if (!expected_.empty()) request.expected = expected_.front();
  if (!cursor_.empty()) request.cursor = cursor_.front();
  return request;
}

std::size_t OwnedRequest::bytes() const {
  std::size_t sum = 0;
  for (const auto* texts : {&keys_, &values_, &expected_, &cursor_}) {
    for (const std::string& text : *texts) sum += text.size();
  }
  return sum;
}

}  // namespace sandgate::capability
