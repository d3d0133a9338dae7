// SPDX-License-Identifier: Apache-2.0
#include "config/table_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/ascii.h"
#include "config/units.h"
#include "platform/file.h"

namespace sandgate::config {
namespace {

constexpr std::size_t kNameBytesMax = 64;
// A token, a password, a URL with both.
constexpr std::uint64_t kSecretBytesMax = 64 * 1024;
// As much of a wrong value as helps to find it.
constexpr std::size_t kShownBytesMax = 60;

std::string shown(const Value& value) {
  if (const std::string* text = value.as<std::string>())
    return text->size() <= kShownBytesMax ? fmt::format("\"{}\"", *text)
                                          : fmt::format("\"{}...\"", text->substr(0, kShownBytesMax));
  if (const std::int64_t* number = value.as<std::int64_t>()) return std::to_string(*number);
  if (const bool* boolean = value.as<bool>()) return *boolean ? "true" : "false";
  return std::string(value.kind());
}

std::string quoted_list(std::span<const std::string_view> names, std::string_view last_glue) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string_view glue = i == 0 ? "" : i + 1 == names.size() ? last_glue : ", ";
    text += fmt::format("{}\"{}\"", glue, names[i]);
  }
  return text;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && std::ranges::all_of(text, [](char c) {
    return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

TableReader::~TableReader() {
  for (const auto& [key, value] : table_.entries) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    std::string where = name_.empty() ? "" : fmt::format(" in {}", name_);
    reading_.diagnostics.add(value.line, fmt::format("unknown key \"{}\"{}{}", key, where, suggestion(key, known_)));
  }
}

unsigned TableReader::line_of(std::string_view key) const {
  const Value* value = table_.find(key);
  return value == nullptr ? line_ : value->line;
}

const Value* TableReader::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.find(key);
}

std::string TableReader::joined(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

void TableReader::list(std::string_view key, std::string accepts, std::string standard) {
  if (reading_.catalogue == nullptr) return;
  reading_.catalogue->push_back({joined(key), std::move(accepts), std::move(standard)});
}

void TableReader::mistake(std::string_view key, std::string message) {
  reading_.diagnostics.add(line_of(key), fmt::format("{}: {}", joined(key), message));
}

void TableReader::mistake(std::string message) {
  reading_.diagnostics.add(line_, name_.empty() ? std::move(message) : fmt::format("{}: {}", name_, message));
}

bool TableReader::refuse(std::string_view key, const Value& value, std::string_view wanted) {
  reading_.diagnostics.add(value.line, fmt::format("{} is {}; write {}", joined(key), shown(value), wanted));
  return false;
}

void TableReader::require(std::string_view key, std::string_view such_as) {
  if (reading_.catalogue != nullptr || has(key)) return;
  mistake(fmt::format("\"{}\" is missing; write {} = {}", key, key, such_as));
}

const Value* TableReader::any(std::string_view key, std::string_view accepts, std::string_view standard) {
  list(key, std::string(accepts), std::string(standard));
  return find(key);
}

bool TableReader::text(std::string_view key, std::string& target) {
  list(key, "text", target.empty() ? "" : fmt::format("\"{}\"", target));
  const Value* value = find(key);
  if (value == nullptr) return false;
  const std::string* text = value->as<std::string>();
  if (text == nullptr) return refuse(key, *value, "text in quotes");
  if (text->empty()) return refuse(key, *value, "some text, or leave the key out");
  target = *text;
  return true;
}

bool TableReader::name(std::string_view key, std::string& target) {
  list(key, "name", "");
  const Value* value = find(key);
  if (value == nullptr) return false;
  const std::string* text = value->as<std::string>();
  if (text == nullptr || !is_name(*text))
    return refuse(key, *value, "a name in quotes: 1 to 64 letters, digits, \".\", \"_\" or \"-\"");
  target = *text;
  return true;
}

bool TableReader::boolean(std::string_view key, bool& target) {
  list(key, "true or false", target ? "true" : "false");
  const Value* value = find(key);
  if (value == nullptr) return false;
  const bool* boolean = value->as<bool>();
  if (boolean == nullptr) return refuse(key, *value, "true or false, without quotes");
  target = *boolean;
  return true;
}

bool TableReader::number(std::string_view key, std::uint64_t& target, Range<std::uint64_t> range) {
  std::string wanted = fmt::format("a number from {} to {}", range.least, range.most);
  list(key, fmt::format("number, {} to {}", range.least, range.most), std::to_string(target));
  const Value* value = find(key);
  if (value == nullptr) return false;
  const std::int64_t* number = value->as<std::int64_t>();
  if (number == nullptr || *number < 0) return refuse(key, *value, wanted);
  auto positive = static_cast<std::uint64_t>(*number);
  if (positive < range.least || positive > range.most) return refuse(key, *value, wanted);
  target = positive;
  return true;
}

bool TableReader::duration(std::string_view key, Milliseconds& target, Range<Milliseconds> range) {
  std::string span = fmt::format("{} to {}", format_duration(range.least), format_duration(range.most));
  list(key, "duration, " + span, fmt::format("\"{}\"", format_duration(target)));
  const Value* value = find(key);
  if (value == nullptr) return false;
  const std::string* text = value->as<std::string>();
  std::optional<Milliseconds> duration;
  if (text != nullptr) duration = parse_duration(*text);
  if (!duration || *duration < range.least || *duration > range.most)
    return refuse(key, *value, fmt::format("a duration such as \"500ms\", \"5s\" or \"2m\", from {}", span));
  target = *duration;
  return true;
}

bool TableReader::bytes(std::string_view key, std::uint64_t& target, Range<std::uint64_t> range) {
  std::string span = fmt::format("{} to {}", format_bytes(range.least), format_bytes(range.most));
  list(key, "size, " + span, fmt::format("\"{}\"", format_bytes(target)));
  const Value* value = find(key);
  if (value == nullptr) return false;
  std::optional<std::uint64_t> bytes;
  if (const std::string* text = value->as<std::string>()) bytes = parse_bytes(*text);
  if (const std::int64_t* number = value->as<std::int64_t>(); number != nullptr && *number >= 0)
    bytes = static_cast<std::uint64_t>(*number);
  if (!bytes || *bytes < range.least || *bytes > range.most)
    return refuse(key, *value, fmt::format("a size such as \"64KiB\" or \"16MiB\", from {}", span));
  target = *bytes;
  return true;
}

bool TableReader::texts(std::string_view key, std::vector<std::string>& target, std::string_view of_what) {
  std::string standard;
  for (const std::string& text : target) standard += fmt::format("{}\"{}\"", standard.empty() ? "" : ", ", text);
  list(key, fmt::format("list of {}", of_what), fmt::format("[{}]", standard));
  const Value* value = find(key);
  if (value == nullptr) return false;
  std::string wanted = fmt::format("a list of {}, as [\"one\", \"two\"]", of_what);
  if (const std::string* text = value->as<std::string>(); text != nullptr && !text->empty()) {
    target = {*text};
    return true;
  }
  const Array* array = value->as<Array>();
  if (array == nullptr) return refuse(key, *value, wanted);
  std::vector<std::string> list_of_texts;
  for (const Value& element : *array) {
    const std::string* text = element.as<std::string>();
    if (text == nullptr || text->empty()) return refuse(key, element, wanted);
    list_of_texts.push_back(*text);
  }
  target = std::move(list_of_texts);
  return true;
}

bool TableReader::choice(std::string_view key, std::size_t& target, std::span<const std::string_view> names) {
  std::string wanted = quoted_list(names, " or ");
  list(key, wanted, target < names.size() ? fmt::format("\"{}\"", names[target]) : "");
  const Value* value = find(key);
  if (value == nullptr) return false;
  const std::string* text = value->as<std::string>();
  if (text == nullptr) return refuse(key, *value, wanted);
  auto found = std::ranges::find(names, *text);
  if (found == names.end()) return refuse(key, *value, wanted);
  target = static_cast<std::size_t>(found - names.begin());
  return true;
}

bool TableReader::secret(std::string_view key, std::string& target) {
  list(key, "text, { env = \"NAME\" } or { file = \"PATH\" }", "");
  const Value* value = find(key);
  if (value == nullptr) return false;
  if (const std::string* text = value->as<std::string>(); text != nullptr && !text->empty()) {
    target = *text;
    return true;
  }
  const Table* table = value->as<Table>();
  const Value* env = table == nullptr ? nullptr : table->find("env");
  const Value* file = table == nullptr ? nullptr : table->find("file");
  const Value* only = env != nullptr ? env : file;
  if (table == nullptr || table->entries.size() != 1 || only == nullptr || only->as<std::string>() == nullptr)
    return refuse(key, *value, "text, { env = \"NAME\" } or { file = \"PATH\" }");
  const std::string& from = *only->as<std::string>();
  if (env != nullptr) {
    const char* found = std::getenv(from.c_str());
    if (found != nullptr && *found != '\0') {
      target = found;
      return true;
    }
    mistake(key, fmt::format("the environment variable {} is not set", from));
    return false;
  }
  Result<std::string> content = platform::read_file(from, kSecretBytesMax);
  if (!content) {
    mistake(key, content.error().detail);
    return false;
  }
  // Editors end files with a line break, which is no part of a secret.
  while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
  if (content->empty()) {
    mistake(key, fmt::format("{} is empty", from));
    return false;
  }
  target = std::move(*content);
  return true;
}

}  // namespace sandgate::config
