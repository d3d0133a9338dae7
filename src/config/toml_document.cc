// SPDX-License-Identifier: Apache-2.0
#include "config/toml_document.h"

#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 0
#define TOML_UNRELEASED_FEATURES 0
// Some of the library's assertions speak of what a file says ("[." fails one of them), and with NDEBUG they become
// assumptions of the compiler. The checks that follow them report the mistake; so neither.
#undef NDEBUG
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
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

// Where the string that begins at `at` ends: behind its closing quotes, or at the end of a line that a string of one
// line must not pass.
std::size_t string_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool many_lines = text.substr(at).starts_with(three);
  for (std::size_t i = at + (many_lines ? 3 : 1); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (many_lines && text.substr(i).starts_with(three)) {
      // Up to two quotes before the closing ones belong to the string.
      return std::min(text.find_first_not_of(quote, i), text.size());
    } else if (!many_lines && text[i] == quote) {
      return i + 1;
    } else if (!many_lines && text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

// The first letter beyond ASCII outside of strings and comments, where TOML 1.0 has none; the length of the text when
// there is none. The library must not see it: its test for white space reaches a place that it calls unreachable.
std::size_t stray_letter(std::string_view text) {
  std::size_t i = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (i < text.size()) {
    if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (text[i] == '"' || text[i] == '\'') {
      i = string_end(text, i);
    } else if (static_cast<unsigned char>(text[i]) >= 0x80) {
      return i;
    } else {
      ++i;
    }
  }
  return text.size();
}

}  // namespace

Table parse_toml(std::string_view text, Diagnostics& out) {
  if (text.size() > kFileBytesMax) {
    out.add(0, fmt::format("the file is larger than {} MiB", kFileBytesMax >> 20U));
    return {};
  }
  const std::string_view before = text.substr(0, stray_letter(text));
  const bool stray = before.size() != text.size();
  const auto stray_line = static_cast<unsigned>(1 + std::ranges::count(before, '\n'));
  const toml::parse_result parsed = toml::parse(before);
  // What an earlier line says may be why the letter seems to be outside of a string.
  if (!parsed && (!stray || parsed.error().source().begin.line < stray_line)) {
    const toml::parse_error& error = parsed.error();
    out.add(error.source().begin.line, fmt::format("no valid TOML: {}", error.description()));
    return {};
  }
  if (stray) {
    out.add(stray_line,
            "no valid TOML: a letter or a space beyond ASCII outside of quotes; write the key or the value as \"...\"");
    return {};
  }
  return convert_table(parsed.table(), 0, out);
}

}  // namespace sandgate::config
