// SPDX-License-Identifier: Apache-2.0
#include "admin/put_request.h"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "modules/attach_points.h"
#include "modules/module_options_json.h"

namespace sandgate::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kConfigField = "Sandgate-Config";
// More than there are; a bound on the work of a hostile query.
constexpr std::size_t kParametersMax = 32;

json::string_view in_json(std::string_view text) { return {text.data(), text.size()}; }

std::unexpected<Error> wrong(std::string_view parameter, std::string_view what) {
  return fail(ErrorKind::kInvalid, fmt::format("{}: {}", parameter, what));
}

std::optional<int> hex_digit(char c) {
  if (ascii_digit(c)) return c - '0';
  char lower = ascii_lower(c);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return std::nullopt;
}

// RFC 3986, section 2.1. Nothing when a percent sign begins no triplet.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    std::optional<int> high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    std::optional<int> low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (!low) return std::nullopt;
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

// The part before `separator`, which is taken off the text together with it.
std::string_view next_part(std::string_view& text, char separator) {
  std::size_t at = text.find(separator);
  std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

// What JSON texts are made of, and what the index keeps them as.
bool is_utf8(std::string_view text) {
  boost::system::error_code failure;
  json::parse(json::serialize(in_json(text)), failure);
  return !failure;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

Result<Parameters> split(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    std::string_view value = next_part(query, '&');
    if (value.empty()) continue;
    std::optional<std::string> name = decoded(next_part(value, '='));
    std::optional<std::string> text = decoded(value);
    if (!name || !text) return fail(ErrorKind::kInvalid, "The query has a percent sign without two hex digits");
    for (const auto& parameter : parameters) {
      if (parameter.first == *name) return wrong(*name, "given twice; write several values with commas");
    }
    if (parameters.size() == kParametersMax) return fail(ErrorKind::kInvalid, "The query has too many parameters");
    parameters.emplace_back(std::move(*name), std::move(*text));
  }
  return parameters;
}

Result<std::vector<modules::AttachPoint>> parse_attach(std::string_view list) {
  std::optional<std::vector<modules::AttachPoint>> points = modules::parse_attach_points(list);
  if (!points) return wrong("attach", "expected OnRequest, OnResponse or OnError, with commas between");
  return *std::move(points);
}

// A number where the text is one, a truth value where it is one, else the text: what POST has in its JSON. Whether it
// fits the parameter is for the reader of both to say.
json::value as_json(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return json::value(in_json(text));
}

// "key_value:a,key_value:b" as {"key_value": ["a", "b"]}.
Status add_allow(json::object& members, std::string_view list) {
  json::object allow;
  while (!list.empty()) {
    std::string_view value = next_part(list, ',');
    std::string_view power = next_part(value, ':');
    if (power.empty() || value.empty()) return wrong("allow", "expected POWER:NAME, as key_value:counters");
    json::value& names = allow[in_json(power)];
    if (!names.is_array()) names = json::array();
    names.get_array().push_back(json::value(in_json(value)));
  }
  members["allow"] = std::move(allow);
  return {};
}

// The fields' values as the member "config".
Status add_config(json::object& members, const http::Fields& fields) {
  for (const http::Field& field : fields) {
    if (!equals_ignoring_case(field.name, kConfigField)) continue;
    std::string_view value = field.value;
    bool complete = value.find('=') != std::string_view::npos;
    std::optional<std::string> name = decoded(next_part(value, '='));
    std::optional<std::string> text = decoded(value);
    if (!complete || !name || !text) return wrong(kConfigField, "expected name=value, both percent-encoded");
    json::value& config = members["config"];
    if (!config.is_object()) config = json::object();
    if (!is_utf8(*name) || !is_utf8(*text)) return wrong(kConfigField, "the name and the value must be UTF-8");
    if (!config.get_object().emplace(in_json(*name), json::value(in_json(*text))).second)
      return wrong(kConfigField, "a name is given twice");
  }
  return {};
}

Status add_option(json::object& members, std::string_view name, std::string_view value) {
  if (name == "allow") return add_allow(members, value);
  if (name == "on_failure" || name == "body" || name == "instance") {
    members[in_json(name)] = as_json(value);
    return {};
  }
  if (name == "reuse.max_calls" || name == "reuse.max_age_s") {
    json::value& reuse = members["reuse"];
    if (!reuse.is_object()) reuse = json::object();
    reuse.get_object()[in_json(name.substr(name.find('.') + 1))] = as_json(value);
    return {};
  }
  return wrong(name,
               "there is no such parameter; there are attach, on_failure, body, instance, reuse.max_calls, "
               "reuse.max_age_s and allow");
}

}  // namespace

Result<modules::Descriptor> parse_put_request(std::string_view name, std::string_view query,
                                              const http::Fields& fields) {
  modules::Descriptor descriptor;
  descriptor.name = name;
  Result<Parameters> parameters = split(query);
  if (!parameters) return fail(std::move(parameters.error()));
  json::object members;
  if (Status added = add_config(members, fields); !added) return fail(std::move(added.error()));
  bool attached = false;
  for (const auto& [parameter, value] : *parameters) {
    if (parameter == "attach") {
      Result<std::vector<modules::AttachPoint>> points = parse_attach(value);
      if (!points) return fail(std::move(points.error()));
      descriptor.attach_points = std::move(*points);
      attached = true;
    } else if (Status added = add_option(members, parameter, value); !added) {
      return fail(std::move(added.error()));
    }
  }
  if (!attached) return wrong("attach", "missing; write ?attach=OnRequest");
  auto options = modules::parse_module_options(members, "query");
  if (!options) return fail(ErrorKind::kInvalid, std::move(options.error()));
  descriptor.options = std::move(*options);
  return descriptor;
}

}  // namespace sandgate::admin
