// SPDX-License-Identifier: Apache-2.0
#include "sandbox/thread.h"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace sandgate::sandbox {

std::thread start_thread(std::string name, std::function<void()> body) {
  // The mask is inherited: blocked before the thread exists, no signal can slip in between.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([name = std::move(name), body = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    body();
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace sandgate::sandbox
