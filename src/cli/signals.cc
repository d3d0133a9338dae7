// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <ctime>

namespace sandgate::cli {
namespace {

sigset_t waited_for() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

void block_signals() {
  sigset_t set = waited_for();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void wake() { ::kill(::getpid(), SIGUSR1); }

Signal wait_for_signal(Milliseconds timeout) {
  sigset_t set = waited_for();
  timespec limit{};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_nsec = (timeout.count() % 1000) * 1'000'000;
  int got = ::sigtimedwait(&set, nullptr, &limit);
  if (got == SIGTERM) return Signal::kDrain;
  if (got == SIGHUP) return Signal::kReload;
  if (got == SIGINT) return Signal::kStop;
  if (got == SIGUSR1) return Signal::kWake;
  return Signal::kNone;
}

}  // namespace sandgate::cli
