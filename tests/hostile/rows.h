// SPDX-License-Identifier: Apache-2.0
//
// The hostile guests and what becomes of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/hostile/abi.h"

namespace sandgate::test {

// A guest that is deployed, and what its calls come to.
struct CallRow {
  enum class Ends : std::uint8_t {
    kItself,
    kByDeadline,  // it would never end
  };

  const Abi* abi;
  std::string_view guest;
  std::string_view query = {};  // of the request; some guests choose by it what they do
  int status;                   // what the client sees
  std::string_view outcome;     // as /metrics counts it
  Ends ends = Ends::kItself;
  std::string_view options = {};  // members of the deployment
};

// A guest that is not deployed, and words that the reason must have.
struct RefusalRow {
  const Abi* abi;
  std::string_view guest;
  std::string_view says;
};

std::vector<CallRow> call_rows();
std::vector<RefusalRow> refusal_rows();

}  // namespace sandgate::test
