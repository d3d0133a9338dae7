// SPDX-License-Identifier: Apache-2.0
//
// What a request must look like for a route. Immutable once it is in a table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "routing/host_pattern.h"
#include "routing/path_pattern.h"

namespace sandgate::routing {

// A condition on one field of the request.
struct FieldCondition {
  enum class Test : unsigned char {
    kPresent,
    kAbsent,
    kEquals,  // one of the field's lines is exactly `value`
  };
  std::string name;  // lower case
  Test test = Test::kPresent;
  std::string value;

  bool holds(const http::Fields& fields) const;
  bool operator==(const FieldCondition&) const = default;
};

struct RouteRule {
  HostPattern host;
  PathPattern path;
  std::vector<std::string> methods;      // empty: all; GET takes HEAD along
  std::vector<FieldCondition> fields{};  // all must hold

  bool takes_method(std::string_view method) const;
  bool takes_fields(const http::Fields& fields) const;
};

// Whether some request fits both and neither is the more specific: their hosts and paths are the same, their methods
// overlap, their conditions are equally many and do not exclude each other.
bool conflict(const RouteRule& a, const RouteRule& b);

}  // namespace sandgate::routing
