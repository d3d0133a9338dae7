// SPDX-License-Identifier: Apache-2.0
//
// A request to /admin/v1: a line with the path below it, then the body. Whatever the path names gets the body: what is
// accepted is within its bounds and means the same when it is written again, what is refused says why.

// fuzz-links: admin modules boost_json

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "admin/control_request.h"
#include "admin/deploy_request.h"
#include "base/check.h"

namespace {

using namespace sandgate;
using Resource = admin::ControlTarget::Resource;

// What stands between is what the target names, and nothing of the path is lost.
void check_target(const admin::ControlTarget& target, std::string_view path) {
  switch (target.resource) {
    case Resource::kUpstream: SANDGATE_CHECK(fmt::format("/upstreams/{}", target.upstream) == path); break;
    case Resource::kServer:
      SANDGATE_CHECK(fmt::format("/upstreams/{}/servers/{}", target.upstream, target.server) == path);
      break;
    case Resource::kModules: SANDGATE_CHECK(fmt::format("/modules{}", target.rest) == path); break;
    default: SANDGATE_CHECK(target.upstream.empty() && target.server.empty() && target.rest.empty());
  }
}

void check_refusal(int status, std::string_view detail) {
  SANDGATE_CHECK((status == 400 || status == 422) && !detail.empty());
}

void check_change(std::string_view body) {
  auto change = admin::parse_server_change(body);
  if (!change) return check_refusal(change.error().status, change.error().detail);
  SANDGATE_CHECK(change->draining || change->weight);
  SANDGATE_CHECK(!change->weight || *change->weight <= admin::kWeightMax);
  std::string members;
  if (change->draining) members += fmt::format("\"draining\":{}", *change->draining);
  if (change->weight) members += fmt::format("{}\"weight\":{}", members.empty() ? "" : ",", *change->weight);
  auto again = admin::parse_server_change("{" + members + "}");
  SANDGATE_CHECK(again && again->draining == change->draining && again->weight == change->weight);
}

void check_level(std::string_view body) {
  auto level = admin::parse_log_level(body);
  if (!level) return check_refusal(level.error().status, level.error().detail);
  auto again = admin::parse_log_level(fmt::format("{{\"level\":\"{}\"}}", admin::log_level_name(*level)));
  SANDGATE_CHECK(again && *again == *level);
}

void check_modules(std::string_view body) {
  auto modules = admin::parse_deploy_request(body);
  if (!modules) check_refusal(modules.error().status, modules.error().detail);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  std::string_view path = text.substr(0, line);
  std::string_view body = text.substr(line + 1);
  admin::ControlTarget target = admin::parse_control_target(path);
  check_target(target, path);
  if (target.resource == Resource::kServer) check_change(body);
  if (target.resource == Resource::kLogLevel) check_level(body);
  if (target.resource == Resource::kModules) check_modules(body);
  return 0;
}
