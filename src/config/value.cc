// SPDX-License-Identifier: Apache-2.0
#include "config/value.h"

namespace sandgate::config {

std::string_view Value::kind() const {
  switch (content.index()) {
    case 0: return "true or false";
    case 1: return "a number";
    case 2: return "a fraction";
    case 3: return "text";
    case 4: return "a list";
    case 5: return "a table";
    default: return std::get<Other>(content).kind;
  }
}

}  // namespace sandgate::config
