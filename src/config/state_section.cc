// SPDX-License-Identifier: Apache-2.0
#include "config/state_section.h"

#include <array>
#include <filesystem>
#include <utility>

#include "config/tls_section.h"

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
  bool speaks_tls = false;
  if (in.secret("url", url)) {
    Result<capability::StateUrl> parsed = capability::parse_state_url(url);
    if (!parsed) {
      in.mistake("url", parsed.error().detail);
    } else if (parsed->kind == capability::StateUrl::Kind::kSqlite) {
      url = "sqlite:" + (std::filesystem::path(directory) / parsed->path).lexically_normal().string();
    } else {
      speaks_tls = parsed->transport == capability::StateUrl::Transport::kTls;
    }
    state.url = std::move(url);
  }
  if (read_tls(in, directory, state.tls) && !speaks_tls)
    in.mistake("tls", "it is for a url that begins with rediss://");
  std::string prefix;
  if (in.name("prefix", prefix)) state.prefix = std::move(prefix);
  in.duration("timeout", state.timeout, kTimeout);
  in.one_of("on_unavailable", state.on_unavailable, kOnUnavailable);
  in.count("max_connections", state.connections_max, kConnections);
}

}  // namespace sandgate::config
