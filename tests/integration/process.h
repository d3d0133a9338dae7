// SPDX-License-Identifier: Apache-2.0
//
// The program as a process of its own: its words, what it prints, how it ends. Killed when the test is done with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "platform/descriptor.h"

namespace sandgate::test {

class Process {
 public:
  // `words` follow the program's name.
  explicit Process(std::vector<std::string> words) : Process(std::move(words), {}) {}
  // With these listening sockets, as a service manager passes them (sd_listen_fds(3)).
  Process(std::vector<std::string> words, const std::vector<int>& sockets);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The port of the line "listening on http://...", 0 when the program ended first.
  std::uint16_t wait_until_it_listens();
  void signal(int number) const;
  // The exit code; 1000 and the number of the signal that ended it.
  int wait();
  // What it printed so far, as far as it was read.
  const std::string& text() const { return text_; }

 private:
  bool read_more();

  pid_t child_ = -1;
  platform::Descriptor output_;
  std::string text_;
};

}  // namespace sandgate::test
