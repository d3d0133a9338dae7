// SPDX-License-Identifier: Apache-2.0
#include "config/state_section.h"

#include <array>
#include <filesystem>
#include <utility>

namespace sandgate::config {
namespace {

constexpr std::array<std::string_view, 3> kOnUnavailable = {"closed", "open", "local"};
// A Redis next door answers in a fraction of a millisecond; nobody waits longer than a call may last.
constexpr Range<Milliseconds> kTimeout = {Milliseconds(1), Milliseconds(60'000)};
// One for each loop is the most that is of use.
constexpr Range<unsigned> kConnections = {1, 256};

}  // namespace

void read_state(TableReader& in, const std::string& directory, capability::StateOptions& state) {
  std::string url;
  if (in.secret("url", url)) {
    Result<capability::StateUrl> parsed = capability::parse_state_url(url);
    if (!parsed) {
      in.mistake("url", parsed.error().detail);
    } else if (parsed->kind == capability::StateUrl::Kind::kSqlite) {
      url = "sqlite:" + (std::filesystem::path(directory) / parsed->path).lexically_normal().string();
    }
    state.url = std::move(url);
  }
  std::string prefix;
  if (in.name("prefix", prefix)) state.prefix = std::move(prefix);
  in.duration("timeout", state.timeout, kTimeout);
  in.one_of("on_unavailable", state.on_unavailable, kOnUnavailable);
  in.count("max_connections", state.connections_max, kConnections);
}

}  // namespace sandgate::config
