// SPDX-License-Identifier: Apache-2.0
//
// A configuration file: it is accepted, and then its routes make a table that finds them again and it can be shown; or
// every mistake has a message.

// fuzz-links: config routing modules gateway boost_json

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/check.h"
#include "config/manifest.h"
#include "config/manifest_json.h"
#include "routing/route_table.h"

namespace {

using namespace sandgate;

// A path that fits the pattern.
std::string fitting(const routing::PathPattern& pattern) {
  std::string path;
  for (const routing::PathSegment& segment : pattern.segments()) {
    path += '/';
    if (segment.kind == routing::PathSegment::Kind::kLiteral) path += segment.text;
    if (segment.kind == routing::PathSegment::Kind::kParameter) path += "x";
  }
  return path;
}

void check_routes(const config::Manifest& manifest) {
  std::vector<routing::RouteRule> rules;
  for (const config::RouteEntry& route : manifest.routes) rules.push_back(route.rule);
  SANDGATE_CHECK(routing::RouteTable::conflicts(rules).empty());
  routing::RouteTable table(std::move(rules));
  for (std::size_t i = 0; i < table.rules().size(); ++i) {
    const routing::RouteRule& rule = table.rules()[i];
    Arena arena;
    http::RequestHead request(arena);
    request.method = rule.methods.empty() ? std::string_view("GET") : std::string_view(rule.methods.front());
    request.path = arena.copy(fitting(rule.path));
    request.authority = arena.copy(rule.host.name());
    (void)table.find(request);
    std::vector<routing::RouteTable::Candidate> all = table.candidates(request);
    bool listed = std::ranges::find(all, i, &routing::RouteTable::Candidate::route) != all.end();
    // Of hosts the name alone is not always one that a request may have.
    SANDGATE_CHECK(listed || rule.host.kind() != routing::HostPattern::Kind::kAny);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Loaded loaded = config::parse_manifest(text, "/nonexistent");
  for (const config::Diagnostic& mistake : loaded.diagnostics.sorted()) SANDGATE_CHECK(!mistake.message.empty());
  SANDGATE_CHECK((loaded.manifest == nullptr) != loaded.diagnostics.empty());
  if (loaded.manifest == nullptr) return 0;
  check_routes(*loaded.manifest);
  SANDGATE_CHECK(!boost::json::serialize(config::manifest_json(*loaded.manifest)).empty());
  return 0;
}
