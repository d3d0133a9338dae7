// SPDX-License-Identifier: Apache-2.0
#include "cli/reply_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

namespace sandgate::cli {

namespace json = boost::json;

std::optional<json::value> parse_reply(const std::string& body) {
  boost::system::error_code failure;
  json::value value = json::parse(json::string_view(body.data(), body.size()), failure);
  if (failure) return std::nullopt;
  return value;
}

std::string member(const json::value& value, json::string_view name) {
  const json::object* object = value.if_object();
  const json::value* found = object != nullptr ? object->if_contains(name) : nullptr;
  if (found == nullptr) return {};
  if (const json::string* text = found->if_string()) return {text->data(), text->size()};
  return json::serialize(*found);
}

}  // namespace sandgate::cli
