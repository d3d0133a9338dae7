// SPDX-License-Identifier: Apache-2.0
//
// Answers every request with the same response.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "exchange/handler.h"

namespace sandgate::gateway {

struct FixedResponseOptions {
  int status = 200;
  std::string body;
  std::string content_type;                                 // empty: text/plain when there is a body
  std::vector<std::pair<std::string, std::string>> fields;  // valid names and values, none about framing

  bool operator==(const FixedResponseOptions&) const = default;
};

class FixedResponse final : public Handler {
 public:
  explicit FixedResponse(FixedResponseOptions options);
  Task<Status> serve(Exchange& exchange) const override;

 private:
  FixedResponseOptions options_;
};

}  // namespace sandgate::gateway
