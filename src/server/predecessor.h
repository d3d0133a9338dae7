// SPDX-License-Identifier: Apache-2.0
//
// The server that runs while this one starts, seen by this one: it gives its listening sockets, waits until this server
// accepts on them, and drains. When it dies meanwhile this server has all that it needs and goes on alone; when it says
// that it goes on itself, this one must not. Blocking; the thread that starts the server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/descriptor_channel.h"
#include "net/inherited_sockets.h"
#include "server/handover_message.h"

namespace sandgate::server {

class Predecessor {
 public:
  // Asks the server that listens at `path`; null when nobody does. kDenied: somebody of another user does, or it
  // refuses; kUnsupported: it speaks another version; kTimedOut, kInvalid, kInternal, and as
  // DescriptorChannel::connect.
  static Result<std::unique_ptr<Predecessor>> find(const std::string& path);

  // Moves its sockets there. As InheritedSockets::add.
  Status give_sockets(net::InheritedSockets& to);
  // Where it listens for successors.
  net::DescriptorListener take_listener();
  // The lock of its data directory; none when it has no such directory.
  const platform::Descriptor& data_lock() const { return data_lock_; }

  // Whether it still waits for this server: kDenied when it has given up, with its reason.
  Status still_waits() const;
  // This server accepts; of the offered sockets it has not those in `left`. From then on they are ours. kDenied as
  // above.
  Status take_over(const net::InheritedSockets& left);
  // For people: "process 123".
  std::string text() const;

 private:
  Predecessor(std::unique_ptr<net::DescriptorChannel> channel, std::string path, pid_t process)
      : channel_(std::move(channel)), path_(std::move(path)), process_(process) {}
  Status receive_offer();
  // What it says next, once there is something. Its death is no error.
  Status hear(Milliseconds patience) const;

  std::unique_ptr<net::DescriptorChannel> channel_;
  std::string path_;
  pid_t process_;
  std::vector<HandoverMessage::Socket> offered_;
  std::vector<platform::Descriptor> sockets_;  // of those, until they are given
  platform::Descriptor listener_;
  platform::Descriptor data_lock_;
};

}  // namespace sandgate::server
