// SPDX-License-Identifier: Apache-2.0
//
// A conversation between two processes of one machine in which messages carry open descriptors (SCM_RIGHTS, unix(7)),
// and the socket file where it begins. SOCK_SEQPACKET: a message comes whole or not at all. Blocking, one thread at a
// time; for threads of their own, never for a loop. Says nothing about what the messages mean.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "platform/descriptor.h"

namespace sandgate::net {

class DescriptorChannel {
 public:
  // Of one message: below what the kernel buffers for a socket by default (208 KiB), so that sending never waits long.
  static constexpr std::size_t kMessageBytesMax = std::size_t{64} << 10;
  // SCM_MAX_FD of the kernel.
  static constexpr std::size_t kDescriptorsMax = 253;

  struct Message {
    std::string text;
    std::vector<platform::Descriptor> descriptors;  // close-on-exec
  };
  // Who made the other end, as the kernel says (SO_PEERCRED).
  struct Peer {
    pid_t process = 0;
    uid_t user = 0;
  };

  // `connected` is one end of a SOCK_SEQPACKET connection.
  explicit DescriptorChannel(platform::Descriptor connected) : socket_(std::move(connected)) {}
  // Null when nobody listens at `path`: there is no file, or one that a process left. kInvalid (no path for a socket),
  // kDenied, kInternal.
  static Result<std::unique_ptr<DescriptorChannel>> connect(const std::string& path);

  // kInternal.
  Result<Peer> peer() const;
  // kDisconnected: the other end is gone; kTimedOut: it does not read; kTooLarge beyond the bounds above; kInternal.
  // The descriptors stay the caller's.
  Status send(std::string_view text, std::span<const int> descriptors = {});
  // The next message with at most `descriptors_max` descriptors. kTimedOut after `patience`, kDisconnected (the other
  // end is gone), kInvalid (longer than kMessageBytesMax, or more descriptors: what came is closed), kDenied when
  // `interrupt`, unless it is -1, became readable first; kInternal.
  Result<Message> receive(Milliseconds patience, std::size_t descriptors_max = 0, int interrupt = -1);
  // Whether something is there to receive, an end included.
  bool has_input() const;

 private:
  platform::Descriptor socket_;
};

// The socket file. Who listens removes it in the end, unless the socket lives on in another process.
class DescriptorListener {
 public:
  // Makes it with mode 0600, in the place of one that nobody listens on. kInvalid (too long a path, no such folder, or
  // the path is no socket), kOverloaded (another process listens there), kDenied, kInternal; the detail names the path.
  static Result<DescriptorListener> create(const std::string& path);
  // A listening socket that another process made at `path`.
  static DescriptorListener adopt(std::string path, platform::Descriptor socket);
  DescriptorListener(DescriptorListener&& other) noexcept = default;
  DescriptorListener& operator=(DescriptorListener&&) = delete;
  ~DescriptorListener();

  // The next connection, whoever made it. kDenied when `interrupt` became readable first, kInternal.
  Result<DescriptorChannel> accept(int interrupt);
  const std::string& path() const { return path_; }
  int descriptor() const { return socket_.get(); }
  // The file stays: another process listens now.
  void leave_file() { socket_.reset(); }

 private:
  DescriptorListener(std::string path, platform::Descriptor socket)
      : path_(std::move(path)), socket_(std::move(socket)) {}

  std::string path_;
  platform::Descriptor socket_;
};

}  // namespace sandgate::net
