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

// The library's test for white space reaches a place that it calls unreachable for many letters beyond ASCII. It gets
// each of their bytes as a character of the last plane for private use instead, which that test lets alone; keys, texts
// and messages are turned back.
constexpr std::string_view kBytePrefix = "\xf4\x80";  // U+100000 + byte is f4 80, 80 or more, 80 or more
constexpr std::size_t kByteLength = 4;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string with_bytes_as_characters(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x80) {
      result += letter;
    } else {
      result += kBytePrefix;
      result += static_cast<char>(0x80U | (byte >> 6U));
      result += static_cast<char>(0x80U | (byte & 0x3fU));
    }
  }
  return result;
}

std::string with_characters_as_bytes(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with(kBytePrefix) && text.size() >= kByteLength &&
        (static_cast<unsigned char>(text[2]) & 0x7cU) == 0) {
      result +=
          static_cast<char>(((static_cast<unsigned>(text[2]) & 3U) << 6U) | (static_cast<unsigned>(text[3]) & 0x3fU));
      text.remove_prefix(kByteLength);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

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
    result.entries.push_back({with_characters_as_bytes(place.key->str()), std::move(value)});
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
    value.content = with_characters_as_bytes(text->get());
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
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const toml::parse_result parsed = toml::parse(with_bytes_as_characters(text));
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    const bool beyond_ascii = error.description().find(kBytePrefix) != std::string_view::npos;
    out.add(
        error.source().begin.line,
        beyond_ascii
            ? "no valid TOML: a letter or a space beyond ASCII outside of quotes; write the key or the value as \"...\""
            : fmt::format("no valid TOML: {}", error.description()));
    return {};
  }
  return convert_table(parsed.table(), 0, out);
}

}  // namespace sandgate::config
