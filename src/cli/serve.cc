// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <cstdio>
#include <string>

#include "cli/commands.h"
#include "cli/serve_line.h"
#include "cli/signals.h"
#include "platform/log.h"
#include "server/server.h"

namespace sandgate::cli {
namespace {

constexpr Milliseconds kLookAgain{20};

std::string url_of(const net::Address& address) {
  std::string text = address.text();
  return text.starts_with("unix:") ? text : "http://" + text;
}

// Waits until every connection has ended, the time is over, or a second signal says that it takes too long.
int drain(server::Server& server, Milliseconds time) {
  log::info("draining: no new connections; open ones have {} s to finish", time.count() / 1000);
  server.begin_drain();
  for (Milliseconds waited{0}; !server.drained(); waited += kLookAgain) {
    Signal signal = wait_for_signal(kLookAgain);
    if (signal != Signal::kNone || waited >= time) {
      log::warning("connections that had not finished were cut");
      return kExitCutShort;
    }
  }
  log::info("drained");
  return kExitOk;
}

}  // namespace

int serve(const config::Effective& effective, const ServeLine& line) {
  block_signals();
  Result<std::unique_ptr<server::Server>> server =
      server::Server::start(effective.settings, effective.manifest, [&line] { return line.load(); });
  if (!server) {
    fmt::print(stderr, "sandgate: {}\n", server.error().detail);
    if (!server.error().cause.empty()) fmt::print(stderr, "  cause: {}\n", server.error().cause);
    return server.error().kind == ErrorKind::kInvalid || server.error().kind == ErrorKind::kUnsupported ? kExitUsage
                                                                                                        : kExitFailed;
  }
  log::info("{}", (*server)->description());
  // Scripts wait for this line: the port answers.
  for (const net::Address& address : (*server)->addresses()) fmt::print("listening on {}\n", url_of(address));
  std::fflush(stdout);
  for (;;) {
    Signal signal = wait_for_signal(std::chrono::hours(1));
    if (signal == Signal::kStop) return kExitOk;
    if (signal == Signal::kDrain) return drain(**server, effective.settings.drain);
    if (signal == Signal::kReload) (void)(*server)->reload();
  }
}

}  // namespace sandgate::cli
