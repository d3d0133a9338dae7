// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/signals.h"
#include "platform/log.h"
#include "server/server.h"

namespace sandgate::cli {
namespace {

constexpr Milliseconds kLookAgain{20};

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

int serve(const server::Settings& settings) {
  block_signals();
  Result<std::unique_ptr<server::Server>> server = server::Server::start(settings);
  if (!server) {
    fmt::print(stderr, "sandgate: {}\n", server.error().detail);
    if (!server.error().cause.empty()) fmt::print(stderr, "  cause: {}\n", server.error().cause);
    return server.error().kind == ErrorKind::kInvalid || server.error().kind == ErrorKind::kUnsupported ? kExitUsage
                                                                                                        : kExitFailed;
  }
  log::info("{}", (*server)->description());
  // Scripts wait for this line: the port answers.
  fmt::print("listening on http://{}\n", (*server)->address().text());
  std::fflush(stdout);
  for (;;) {
    Signal signal = wait_for_signal(std::chrono::hours(1));
    if (signal == Signal::kStop) return kExitOk;
    if (signal == Signal::kDrain) return drain(**server, settings.drain);
  }
}

}  // namespace sandgate::cli
