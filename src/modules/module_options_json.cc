// SPDX-License-Identifier: Apache-2.0
#include "modules/module_options_json.h"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sandgate::modules {
namespace {

namespace json = boost::json;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

// Reads one member after another; the first that is wrong stays.
class Reader {
 public:
  Reader(const json::object& object, std::string at) : object_(object), at_(std::move(at)) {}

  const json::value* find(std::string_view name) const {
    return object_.if_contains(json::string_view(name.data(), name.size()));
  }
  void flag(std::string_view name, bool& to) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    if (!value->is_bool()) return wrong(name, "expected true or false");
    to = value->get_bool();
  }
  template <typename E, typename To>
  void choice(std::string_view name, std::optional<E> (*parse)(std::string_view), std::string_view expected, To& to) {
    const json::value* value = find(name);
    if (value == nullptr || value->is_null()) return;
    const json::string* text = value->if_string();
    std::optional<E> parsed = text != nullptr ? parse(view(*text)) : std::nullopt;
    if (!parsed) return wrong(name, expected);
    if constexpr (std::is_same_v<To, E>) {
      to = *parsed;
    } else {
      to = parsed;
    }
  }
  template <typename Number>
  void number(std::string_view name, Number& to) {
    const json::value* value = find(name);
    if (value == nullptr) return;
    const std::int64_t* number = value->if_int64();
    if (number == nullptr || *number < 1 || *number > std::numeric_limits<std::uint32_t>::max())
      return wrong(name, "expected a positive whole number");
    to = static_cast<Number>(*number);
  }
  void wrong(std::string_view name, std::string_view what) {
    if (error_.empty()) error_ = fmt::format("{}.{}: {}", at_, name, what);
  }
  void wrong(std::string error) {
    if (error_.empty()) error_ = std::move(error);
  }
  const std::string& at() const { return at_; }
  std::string& error() { return error_; }

 private:
  const json::object& object_;
  std::string at_;
  std::string error_;
};

const json::object* object_member(Reader& reader, std::string_view name, std::string_view expected) {
  const json::value* value = reader.find(name);
  if (value == nullptr) return nullptr;
  const json::object* object = value->if_object();
  if (object == nullptr) reader.wrong(name, expected);
  return object;
}

void read_reuse(Reader& reader, ModuleOptions& options) {
  const json::object* reuse = object_member(reader, "reuse", R"(expected {"max_calls": 1000, "max_age_s": 60})");
  if (reuse == nullptr) return;
  Reader inner(*reuse, reader.at() + ".reuse");
  inner.number("max_calls", options.reuse_calls_max);
  inner.number("max_age_s", options.reuse_seconds_max);
  if (!inner.error().empty()) reader.wrong(std::move(inner.error()));
}

void read_limits(Reader& reader, ModuleOptions& options) {
  const json::object* limits =
      object_member(reader, "limits", R"(expected {"memory_bytes": 16777216, "time_ms": 50, "cpu_ms": 20})");
  if (limits == nullptr) return;
  Reader inner(*limits, reader.at() + ".limits");
  inner.number("memory_bytes", options.limits.memory_bytes);
  inner.number("time_ms", options.limits.time_ms);
  inner.number("cpu_ms", options.limits.cpu_ms);
  if (!inner.error().empty()) reader.wrong(std::move(inner.error()));
}

void read_config(Reader& reader, ModuleOptions& options) {
  const json::object* config = object_member(reader, "config", R"(expected an object of texts: {"name": "value"})");
  if (config == nullptr) return;
  options.config.emplace();
  for (const auto& [name, value] : *config) {
    const json::string* text = value.if_string();
    if (text == nullptr) return reader.wrong(fmt::format("config.{}", view(name)), R"(expected a text: write "60")");
    options.config->emplace_back(view(name), view(*text));
  }
}

void read_allow(Reader& reader, ModuleOptions& options) {
  const json::object* allow = object_member(reader, "allow", R"(expected an object: {"key_value": ["name"]})");
  if (allow == nullptr) return;
  for (const auto& [name, value] : *allow) {
    if (view(name) != "key_value")
      return reader.wrong(fmt::format("allow.{}", view(name)), "there is no such power; there is key_value");
    const json::array* stores = value.if_array();
    if (stores == nullptr) return reader.wrong("allow.key_value", R"(expected a list of names: ["counters"])");
    for (const json::value& store : *stores) {
      const json::string* text = store.if_string();
      if (text == nullptr) return reader.wrong("allow.key_value", R"(expected a list of names: ["counters"])");
      options.key_value.emplace_back(view(*text));
    }
  }
}

void append_text(std::string& out, std::string_view text) {
  out += json::serialize(json::string_view(text.data(), text.size()));
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  std::string_view separator;
  for (const std::string& text : texts) {
    out += separator;
    append_text(out, text);
    separator = ",";
  }
}

void append_limits(std::string& out, const ModuleLimits& limits) {
  out += R"(,"limits":{)";
  std::string_view separator;
  auto append = [&out, &separator](std::string_view name, std::uint64_t value) {
    if (value == 0) return;
    fmt::format_to(std::back_inserter(out), R"({}"{}":{})", separator, name, value);
    separator = ",";
  };
  append("memory_bytes", limits.memory_bytes);
  append("time_ms", limits.time_ms);
  append("cpu_ms", limits.cpu_ms);
  out += '}';
}

void append_config(std::string& out, const ModuleOptions& options, SettingValues values) {
  bool shown = values == SettingValues::kShown;
  out += shown ? R"(,"config":{)" : R"(,"config":[)";
  std::string_view separator;
  for (const auto& [name, value] : *options.config) {
    out += separator;
    append_text(out, name);
    if (shown) {
      out += ':';
      append_text(out, value);
    }
    separator = ",";
  }
  out += shown ? '}' : ']';
}

}  // namespace

std::expected<ModuleOptions, std::string> parse_module_options(const json::object& object, const std::string& at) {
  ModuleOptions options;
  Reader reader(object, at);
  reader.flag("body", options.body);
  reader.choice("on_failure", &parse_on_failure, R"(expected "closed" or "open")", options.on_failure);
  reader.choice("instance", &parse_instance_mode, R"(expected "fresh", "exchange" or "reuse")", options.instance);
  read_reuse(reader, options);
  read_limits(reader, options);
  read_config(reader, options);
  read_allow(reader, options);
  if (!reader.error().empty()) return std::unexpected(std::move(reader.error()));
  return options;
}

void append_module_options(std::string& out, const ModuleOptions& options, SettingValues values) {
  fmt::format_to(std::back_inserter(out), R"(,"body":{},"instance":"{}")", options.body,
                 instance_mode_name(options.instance));
  // Shown where they matter, kept always.
  if (options.instance == InstanceMode::kReuse || values == SettingValues::kShown) {
    fmt::format_to(std::back_inserter(out), R"(,"reuse":{{"max_calls":{},"max_age_s":{}}})", options.reuse_calls_max,
                   options.reuse_seconds_max);
  }
  if (options.on_failure) {
    fmt::format_to(std::back_inserter(out), R"(,"on_failure":"{}")", on_failure_name(*options.on_failure));
  } else {
    out += R"(,"on_failure":null)";
  }
  if (options.limits != ModuleLimits()) append_limits(out, options.limits);
  if (options.config) append_config(out, options, values);
  if (!options.key_value.empty()) {
    out += R"(,"allow":{"key_value":[)";
    append_texts(out, options.key_value);
    out += "]}";
  }
}

std::string stored_options(const ModuleOptions& options) {
  std::string members;
  append_module_options(members, options, SettingValues::kShown);
  members.front() = '{';
  return members + "}";
}

std::expected<ModuleOptions, std::string> parse_stored_options(std::string_view text) {
  boost::system::error_code failure;
  json::value root = json::parse(json::string_view(text.data(), text.size()), failure);
  if (failure || !root.is_object()) return std::unexpected("options: no JSON object");
  return parse_module_options(root.get_object(), "options");
}

}  // namespace sandgate::modules
