// SPDX-License-Identifier: Apache-2.0
//
// What requests to /admin/v1 say: the resource that a path names, and the JSON of the two bodies there are. Only the
// shape is looked at; whether an upstream or a server exists is the server's to know. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "platform/log.h"

namespace sandgate::admin {

// What a path below /admin/v1 names. Views are into the path.
struct ControlTarget {
  enum class Resource : unsigned char {
    kNone,
    kConfig,     // /config
    kReload,     // /config/reload
    kLogLevel,   // /log-level
    kModules,    // /modules and below; `rest` is what follows
    kUpstreams,  // /upstreams
    kUpstream,   // /upstreams/NAME
    kServer,     // /upstreams/NAME/servers/AUTHORITY
  };
  Resource resource = Resource::kNone;
  std::string_view upstream;  // kUpstream, kServer; as it stands in the path
  std::string_view server;    // kServer; the same
  std::string_view rest;      // kModules: empty, or begins with a slash
};

// `path` is in its normal form, without /admin/v1.
ControlTarget parse_control_target(std::string_view path);

// Why a body is refused, as it is answered.
struct ControlRefusal {
  int status = 422;         // 400: no JSON; 422: JSON that says something else
  std::string_view detail;  // static: what to write
};

struct ServerChange {
  std::optional<bool> draining;
  std::optional<unsigned> weight;  // at most kWeightMax; what an upstream takes is judged there
};

// Beyond any sense; it only has to be a number.
inline constexpr unsigned kWeightMax = 1'000'000;

// {"draining": true, "weight": 3}: one of them at least, nothing else.
std::expected<ServerChange, ControlRefusal> parse_server_change(std::string_view body);

// {"level": "debug"}, info, warning, error or off. Other members are ignored.
std::expected<log::Level, ControlRefusal> parse_log_level(std::string_view body);
std::string_view log_level_name(log::Level level);

}  // namespace sandgate::admin
