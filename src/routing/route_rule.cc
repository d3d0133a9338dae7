// SPDX-License-Identifier: Apache-2.0
#include "routing/route_rule.h"

#include <algorithm>

#include "base/ascii.h"

namespace sandgate::routing {
namespace {

using Test = FieldCondition::Test;

bool exclude_each_other(const FieldCondition& a, const FieldCondition& b) {
  if (a.name != b.name) return false;
  if (a.test == Test::kEquals && b.test == Test::kEquals) return a.value != b.value;
  return (a.test == Test::kAbsent) != (b.test == Test::kAbsent);
}

bool methods_overlap(const RouteRule& a, const RouteRule& b) {
  if (a.methods.empty() || b.methods.empty()) return a.methods.empty() == b.methods.empty();
  return std::ranges::any_of(a.methods, [&b](const std::string& method) { return b.takes_method(method); }) ||
         std::ranges::any_of(b.methods, [&a](const std::string& method) { return a.takes_method(method); });
}

}  // namespace

bool FieldCondition::holds(const http::Fields& all) const {
  bool present = false;
  for (const http::Field& field : all) {
    if (!equals_ignoring_case(field.name, name)) continue;
    if (test == Test::kEquals && field.value == value) return true;
    present = true;
  }
  switch (test) {
    case Test::kPresent: return present;
    case Test::kAbsent: return !present;
    case Test::kEquals: return false;
  }
  return false;
}

bool RouteRule::takes_method(std::string_view method) const {
  if (methods.empty()) return true;
  return std::ranges::any_of(
      methods, [method](const std::string& own) { return own == method || (own == "GET" && method == "HEAD"); });
}

bool RouteRule::takes_fields(const http::Fields& all) const {
  return std::ranges::all_of(fields, [&all](const FieldCondition& condition) { return condition.holds(all); });
}

bool conflict(const RouteRule& a, const RouteRule& b) {
  if (a.host != b.host || !a.path.same_shape(b.path) || !methods_overlap(a, b)) return false;
  if (a.fields.size() != b.fields.size()) return false;
  return std::ranges::none_of(a.fields, [&b](const FieldCondition& mine) {
    return std::ranges::any_of(b.fields,
                               [&mine](const FieldCondition& other) { return exclude_each_other(mine, other); });
  });
}

}  // namespace sandgate::routing
