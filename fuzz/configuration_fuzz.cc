// SPDX-License-Identifier: Apache-2.0
//
// A configuration file: it is accepted, and then its routes make a table that finds them again and it can be shown; or
// every mistake has a message and a line of the file.

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
    bool below = rule.host.kind() == routing::HostPattern::Kind::kBelow;
    request.authority = arena.copy((below ? "x" : "") + rule.host.name());
    std::vector<routing::RouteTable::Candidate> all = table.candidates(request);
    SANDGATE_CHECK(std::ranges::find(all, i, &routing::RouteTable::Candidate::route) != all.end() ||
                   request.authority.find(':') != std::string_view::npos);
    (void)table.find(request);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Loaded loaded = config::parse_manifest(text, "/nonexistent");
  auto lines = static_cast<unsigned>(std::ranges::count(text, '\n')) + 1;
  for (const config::Diagnostic& mistake : loaded.diagnostics.sorted())
    SANDGATE_CHECK(!mistake.message.empty() && mistake.line <= lines);
  SANDGATE_CHECK((loaded.manifest == nullptr) != loaded.diagnostics.empty());
  if (loaded.manifest == nullptr) return 0;
  check_routes(*loaded.manifest);
  SANDGATE_CHECK(!boost::json::serialize(config::manifest_json(*loaded.manifest)).empty());
  return 0;
}
