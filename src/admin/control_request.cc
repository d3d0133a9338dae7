// SPDX-License-Identifier: Apache-2.0
#include "admin/control_request.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <utility>

namespace sandgate::admin {
namespace {

namespace json = boost::json;
using Resource = ControlTarget::Resource;

constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warning", "error", "off"};
constexpr std::string_view kModules = "/modules";
constexpr std::string_view kUpstreams = "/upstreams/";
constexpr std::string_view kServers = "/servers/";

std::string_view view(const json::string& value) { return {value.data(), value.size()}; }

std::expected<json::object, ControlRefusal> parse_object(std::string_view body) {
  boost::system::error_code failure;
  json::value root = json::parse(json::string_view(body.data(), body.size()), failure);
  if (failure) return std::unexpected(ControlRefusal{400, "The body is no JSON"});
  if (!root.is_object()) return std::unexpected(ControlRefusal{422, "The body is no JSON object"});
  return std::move(root.get_object());
}

}  // namespace

ControlTarget parse_control_target(std::string_view path) {
  if (path == "/config") return {.resource = Resource::kConfig};
  if (path == "/config/reload") return {.resource = Resource::kReload};
  if (path == "/log-level") return {.resource = Resource::kLogLevel};
  if (path == "/upstreams") return {.resource = Resource::kUpstreams};
  if (path.starts_with(kModules)) {
    std::string_view rest = path.substr(kModules.size());
    if (rest.empty() || rest.starts_with('/')) return {.resource = Resource::kModules, .rest = rest};
  }
  if (!path.starts_with(kUpstreams)) return {};
  std::string_view name = path.substr(kUpstreams.size());
  std::size_t servers = name.find(kServers);
  if (servers == std::string_view::npos) return {.resource = Resource::kUpstream, .upstream = name};
  return {.resource = Resource::kServer,
          .upstream = name.substr(0, servers),
          .server = name.substr(servers + kServers.size())};
}

std::expected<ServerChange, ControlRefusal> parse_server_change(std::string_view body) {
  constexpr ControlRefusal kShape{422, "Write {\"draining\": true} or {\"weight\": 3}, or both"};
  std::expected<json::object, ControlRefusal> object = parse_object(body);
  if (!object) return std::unexpected(object.error());
  ServerChange change;
  for (const auto& [name, value] : *object) {
    if (name == "draining" && value.is_bool()) {
      change.draining = value.get_bool();
    } else if (name == "weight" && value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= kWeightMax) {
      change.weight = static_cast<unsigned>(value.get_int64());
    } else {
      return std::unexpected(kShape);
    }
  }
  if (!change.draining && !change.weight) return std::unexpected(kShape);
  return change;
}

std::expected<log::Level, ControlRefusal> parse_log_level(std::string_view body) {
  std::expected<json::object, ControlRefusal> object = parse_object(body);
  if (!object) return std::unexpected(object.error());
  const json::value* level = object->if_contains("level");
  const json::string* name = level == nullptr ? nullptr : level->if_string();
  auto found = name == nullptr ? kLevels.end() : std::ranges::find(kLevels, view(*name));
  if (found == kLevels.end())
    return std::unexpected(ControlRefusal{422, "Write {\"level\": \"debug\"}, info, warning, error or off"});
  return static_cast<log::Level>(found - kLevels.begin());
}

std::string_view log_level_name(log::Level level) { return kLevels[static_cast<std::size_t>(level)]; }

}  // namespace sandgate::admin
