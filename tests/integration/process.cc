// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "tests/support/paths.h"

namespace sandgate::test {
namespace {

constexpr int kPatienceMilliseconds = 60'000;
// Above what the test has open, so that no descriptor is overwritten before it is moved.
constexpr int kAside = 500;

// In the child: to the descriptors 3 and on.
void pass(const std::vector<int>& sockets) {
  if (sockets.empty()) return;
  int count = static_cast<int>(sockets.size());
  for (int i = 0; i < count; ++i) ::dup2(sockets[static_cast<std::size_t>(i)], kAside + i);
  for (int i = 0; i < count; ++i) {
    ::dup2(kAside + i, 3 + i);
    ::close(kAside + i);
  }
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(count).c_str(), 1);
}

}  // namespace

Process::Process(std::vector<std::string> words, const std::vector<int>& sockets) {
  std::array<int, 2> out{};
  EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
  std::string program = binary_path();
  std::vector<char*> arguments = {program.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    pass(sockets);
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
  }
  ::close(out[1]);
  output_ = platform::Descriptor(out[0]);
}

Process::~Process() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
}

std::uint16_t Process::wait_until_it_listens() {
  while (text_.find("listening on http://127.0.0.1:") == std::string::npos || text_.back() != '\n') {
    if (!read_more()) return 0;
  }
  std::size_t at = text_.find("listening on http://127.0.0.1:") + 30;
  return static_cast<std::uint16_t>(std::stoi(text_.substr(at)));
}

void Process::signal(int number) const { ::kill(child_, number); }

int Process::wait() {
  while (read_more()) {}
  int status = 0;
  ::waitpid(std::exchange(child_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool Process::read_more() {
  pollfd waiting{output_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, kPatienceMilliseconds) <= 0) return false;
  std::array<char, 4096> piece;
  ssize_t got = ::read(output_.get(), piece.data(), piece.size());
  if (got <= 0) return false;
  text_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

}  // namespace sandgate::test
