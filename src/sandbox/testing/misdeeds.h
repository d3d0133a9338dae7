// SPDX-License-Identifier: Apache-2.0
//
// What a compiler process taken over by a module might do. Each ends with an exit code that tells whether it worked.
#pragma once

#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "sandbox/confinement.h"

namespace sandgate::sandbox::testing {

inline constexpr int kWorked = 10;
inline constexpr int kRefused = 11;
inline constexpr int kUnknown = 12;

inline int worked(bool it_did) { return it_did ? kWorked : kRefused; }

inline int misbehave_confined(std::string_view deed) {
  if (deed == "open") return worked(::open("/etc/passwd", O_RDONLY) >= 0);
  if (deed == "open-for-write") return worked(::open("/tmp/sandgate-misdeed", O_WRONLY | O_CREAT, 0600) >= 0);
  if (deed == "executable-memory")
    return worked(::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
  if (deed == "kill") return worked(::kill(::getppid(), 0) == 0);
  if (deed == "thread") {
    // Not std::thread: checking its virtual functions, UndefinedBehaviorSanitizer makes pipes.
    pthread_t thread{};
    auto nothing = [](void*) -> void* { return nullptr; };
    return worked(::pthread_create(&thread, nullptr, nothing, nullptr) == 0 && ::pthread_join(thread, nullptr) == 0);
  }
  if (deed == "socket") return worked(::syscall(SYS_socket, 2, 1, 0) >= 0);
  if (deed == "execve") {
    char name[] = "/bin/true";
    char* arguments[] = {name, nullptr};
    ::execve(name, arguments, nullptr);
    return kRefused;
  }
  if (deed == "fork") return worked(::fork() >= 0);
  if (deed == "ptrace") return worked(::syscall(SYS_ptrace, 0, 0, 0, 0) == 0);
  return kUnknown;
}

inline int misbehave(std::string_view deed) {
  if (deed == "silent") return 0;
  if (deed == "nonsense") return std::puts("sgchild1 but no frame") < 0 ? 1 : 0;
  if (deed == "crash") {
    std::signal(SIGSEGV, SIG_DFL);  // sanitizers catch it otherwise
    std::raise(SIGSEGV);
  }
  if (deed == "sleep") {
    ::poll(nullptr, 0, 600'000);
    return 0;
  }
  if (deed == "spin") {
    for (volatile unsigned turns = 0;; turns = turns + 1) {}
  }
  if (deed == "flood") {
    while (std::puts("sgchild1sgchild1sgchild1sgchild1sgchild1sgchild1sgchild1sgchild1sgchild1sgchild1sgchild1") >= 0) {
    }
    return 1;
  }
  if (deed == "deaf") {  // closes stdin unread
    ::close(STDIN_FILENO);
    return 0;
  }
  if (deed == "count-descriptors") {
    int open = 0;
    for (int fd = 0; fd < 1024; ++fd) open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
  }
  if (deed == "count-environment") {
    int words = 0;
    while (environ[words] != nullptr) ++words;
    return words;
  }
  constexpr std::string_view kConfined = "confined-";
  if (!deed.starts_with(kConfined)) return kUnknown;
  if (!confine_system_calls()) return kUnknown;
  return misbehave_confined(deed.substr(kConfined.size()));
}

}  // namespace sandgate::sandbox::testing
