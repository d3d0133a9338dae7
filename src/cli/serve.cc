// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <atomic>
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

int refuse(const Error& error) {
  fmt::print(stderr, "sandgate: {}\n", error.detail);
  if (!error.cause.empty()) fmt::print(stderr, "  cause: {}\n", error.cause);
  return error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kUnsupported ? kExitUsage : kExitFailed;
}

enum class DrainReason : bool { kSignal, kHandover };

// Waits until every connection has ended, the time is over, or a further signal says that it takes too long. After a
// handover that is the second one: whoever stops the old server then asks for what it does already.
int drain(server::Server& server, Milliseconds time, DrainReason reason) {
  log::info("draining: no new connections; open ones have {} s to finish", time.count() / 1000);
  server.begin_drain();
  int cutting_signals = reason == DrainReason::kHandover ? 2 : 1;
  for (Milliseconds waited{0}; !server.drained(); waited += kLookAgain) {
    Signal signal = wait_for_signal(kLookAgain);
    if (signal != Signal::kNone && signal != Signal::kWake) --cutting_signals;
    if (cutting_signals <= 0 || waited >= time) {
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
  Result<net::InheritedSockets> inherited = net::InheritedSockets::from_environment();
  if (!inherited) return refuse(inherited.error());
  std::atomic<bool> handed_over{false};
  auto on_handed_over = [&handed_over] {
    handed_over.store(true, std::memory_order_release);
    wake();
  };
  Result<std::unique_ptr<server::Server>> server = server::Server::start(
      effective.settings, effective.manifest, [&line] { return line.load(); }, {*std::move(inherited), on_handed_over});
  if (!server) return refuse(server.error());
  log::info("{}", (*server)->description());
  // Scripts wait for this line: the port answers.
  for (const net::Address& address : (*server)->addresses()) fmt::print("listening on {}\n", url_of(address));
  std::fflush(stdout);
  for (;;) {
    Signal signal = wait_for_signal(std::chrono::hours(1));
    if (signal == Signal::kStop) return kExitOk;
    if (handed_over.load(std::memory_order_acquire))
      return drain(**server, effective.settings.drain, DrainReason::kHandover);
    if (signal == Signal::kDrain) return drain(**server, effective.settings.drain, DrainReason::kSignal);
    if (signal == Signal::kReload) (void)(*server)->reload();
  }
}

}  // namespace sandgate::cli
