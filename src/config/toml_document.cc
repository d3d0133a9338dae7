// SPDX-License-Identifier: Apache-2.0
#include "config/toml_document.h"

#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 0
#define TOML_UNRELEASED_FEATURES 0
#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace sandgate::config {
namespace {

Value convert(const toml::node& node, unsigned depth, Diagnostics& out);

// The library keeps keys sorted by name; this is the order of the file.
Table convert_table(const toml::table& table, unsigned depth, Diagnostics& out) {
  struct Place {
    toml::source_position at;
    const toml::key* key;
    const toml::node* node;
  };
  std::vector<Place> places;
  for (const auto& [key, node] : table) places.push_back({key.source().begin, &key, &node});
  std::ranges::sort(places, [](const Place& a, const Place& b) { return a.at < b.at; });
  Table result;
  for (const Place& place : places) {
    Value value = convert(*place.node, depth, out);
    if (place.at.line != 0) value.line = place.at.line;
    result.entries.push_back({std::string(place.key->str()), std::move(value)});
  }
  return result;
}

Value convert(const toml::node& node, unsigned depth, Diagnostics& out) {
  Value value;
  value.line = node.source().begin.line;
  if (depth == kDepthMax) {
    out.add(value.line, fmt::format("nested more than {} deep", kDepthMax));
    return value;
  }
  if (const toml::table* table = node.as_table()) {
    value.content = convert_table(*table, depth + 1, out);
  } else if (const toml::array* array = node.as_array()) {
    Array list;
    for (const toml::node& element : *array) list.push_back(convert(element, depth + 1, out));
    value.content = std::move(list);
  } else if (const auto* text = node.as_string()) {
    value.content = std::string(text->get());
  } else if (const auto* number = node.as_integer()) {
    value.content = std::int64_t{number->get()};
  } else if (const auto* fraction = node.as_floating_point()) {
    value.content = fraction->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.content = boolean->get();
  } else {
    value.content = Value::Other{"a date or time"};
  }
  return value;
}

}  // namespace

Table parse_toml(std::string_view text, Diagnostics& out) {
  if (text.size() > kFileBytesMax) {
    out.add(0, fmt::format("the file is larger than {} MiB", kFileBytesMax >> 20U));
    return {};
  }
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    out.add(error.source().begin.line, fmt::format("no valid TOML: {}", error.description()));
    return {};
  }
  return convert_table(parsed.table(), 0, out);
}

}  // namespace sandgate::config
