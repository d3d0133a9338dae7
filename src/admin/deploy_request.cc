// SPDX-License-Identifier: Apache-2.0
#include "admin/deploy_request.h"

#include <fmt/core.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <optional>

#include "modules/module_options_json.h"

namespace sandgate::admin {
namespace {

namespace json = boost::json;
using modules::AttachPoint;
using modules::Descriptor;

constexpr std::string_view kModuleType = "Middleware";

std::unexpected<BadRequest> wrong_shape(const std::string& member, std::string_view what) {
  return std::unexpected(BadRequest{422, fmt::format("{}: {}", member, what)});
}

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::expected<std::string, BadRequest> required_string(const json::object& object, const std::string& at,
                                                       std::string_view name) {
  std::string member = fmt::format("{}.{}", at, name);
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) return wrong_shape(member, "missing");
  const json::string* text = value->if_string();
  if (text == nullptr) return wrong_shape(member, "expected a string");
  return std::string(view(*text));
}

std::optional<AttachPoint> attach_point(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr || object->size() != 1) return std::nullopt;
  const json::value* name = object->if_contains(json::string_view(kModuleType.data(), kModuleType.size()));
  if (name == nullptr || !name->is_string()) return std::nullopt;
  return modules::parse_attach_point(view(name->get_string()));
}

std::expected<std::vector<AttachPoint>, BadRequest> attach_points(const json::object& object, const std::string& at) {
  std::string member = at + ".attach_points";
  const json::value* value = object.if_contains("attach_points");
  if (value == nullptr) return wrong_shape(member, "missing");
  const json::array* list = value->if_array();
  if (list == nullptr) return wrong_shape(member, "expected an array");
  std::vector<AttachPoint> points;
  for (const json::value& element : *list) {
    std::optional<AttachPoint> point = attach_point(element);
    if (!point) {
      return wrong_shape(
          fmt::format("{}[{}]", member, points.size()),
          R"(expected {"Middleware": "OnRequest"}, {"Middleware": "OnResponse"} or {"Middleware": "OnError"})");
    }
    points.push_back(*point);
  }
  return points;
}

std::expected<Descriptor, BadRequest> descriptor(const json::value& value, const std::string& at) {
  const json::object* object = value.if_object();
  if (object == nullptr) return wrong_shape(at, "expected an object");
  auto name = required_string(*object, at, "name");
  if (!name) return std::unexpected(std::move(name.error()));
  auto file_path = required_string(*object, at, "file_path");
  if (!file_path) return std::unexpected(std::move(file_path.error()));
  auto module_type = required_string(*object, at, "module_type");
  if (!module_type) return std::unexpected(std::move(module_type.error()));
  if (*module_type != kModuleType)
    return wrong_shape(at + ".module_type", R"(expected "Middleware", the only type there is)");
  auto points = attach_points(*object, at);
  if (!points) return std::unexpected(std::move(points.error()));
  auto options = modules::parse_module_options(*object, at);
  if (!options) return std::unexpected(BadRequest{422, std::move(options.error())});
  return Descriptor{std::move(*name), std::move(*file_path), std::move(*points), std::move(*options)};
}

}  // namespace

std::expected<std::vector<Descriptor>, BadRequest> parse_deploy_request(std::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  boost::system::error_code failure;
  json::value root = json::parse(json::string_view(text.data(), text.size()), failure, {}, options);
  if (failure)
    return std::unexpected(BadRequest{400, fmt::format("The body is not valid JSON: {}", failure.message())});
  const json::object* object = root.if_object();
  if (object == nullptr) return wrong_shape("body", R"(expected an object {"modules": [...]})");
  const json::value* value = object->if_contains("modules");
  if (value == nullptr) return wrong_shape("modules", "missing");
  const json::array* list = value->if_array();
  if (list == nullptr) return wrong_shape("modules", "expected an array");
  if (list->size() > modules::ModuleStore::kModulesMax) {
    return wrong_shape("modules", fmt::format("expected at most {} elements", modules::ModuleStore::kModulesMax));
  }
  std::vector<Descriptor> out;
  for (const json::value& element : *list) {
    auto parsed = descriptor(element, fmt::format("modules[{}]", out.size()));
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    out.push_back(std::move(*parsed));
  }
  return out;
}

}  // namespace sandgate::admin
