// SPDX-License-Identifier: Apache-2.0
//
// Waits on a thread of its own for the process that takes this server's place, and hands it the listening sockets.
// Until that one says that it accepts on them everything stays as it is: a successor that fails, dies or takes too long
// is as if it had never come. One at a time.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/descriptor_channel.h"
#include "net/listening_socket.h"
#include "server/handover_message.h"

namespace sandgate::server {

// What a server gives away. The descriptors are further ones of what it keeps.
struct Handover {
  std::vector<net::ListeningSocket> sockets;  // those of one address behind each other
  platform::Descriptor data_lock;             // none: it has no data directory
};

class SuccessorWatch {
 public:
  // The server. Called on the watch's thread, in this order, and not after stop().
  class Server {
   public:
    virtual ~Server() = default;
    // A successor is here: what it gets. From now on nothing changes on disk.
    virtual Result<Handover> begin_handover() = 0;
    // It will not take over: as before.
    virtual void cancel_handover() = 0;
    // It accepts on the sockets at these addresses. Nothing is called after this.
    virtual void handed_over(std::vector<net::Address> taken) = 0;
  };

  // `server` outlives the watch. kInternal: no descriptor is left.
  static Result<std::unique_ptr<SuccessorWatch>> start(net::DescriptorListener listener, Server& server);
  ~SuccessorWatch() { stop(); }
  SuccessorWatch(const SuccessorWatch&) = delete;
  SuccessorWatch& operator=(const SuccessorWatch&) = delete;

  // No more successors; one that is not ready is told so. Removes the socket file unless the successor has it.
  // Idempotent; any thread but the watch's.
  void stop();

 private:
  SuccessorWatch(net::DescriptorListener listener, platform::Descriptor interrupt, Server& server)
      : listener_(std::move(listener)), interrupt_(std::move(interrupt)), server_(server) {}

  void watch();
  // Whether it took over.
  bool converse(net::DescriptorChannel& channel);
  Status check_peer(const net::DescriptorChannel& channel);
  Result<HandoverMessage> receive(net::DescriptorChannel& channel, HandoverMessage::Kind kind, Milliseconds patience);
  Status send_offer(net::DescriptorChannel& channel, const Handover& handover) const;
  // The addresses of what a successor says that it took.
  static Result<std::vector<net::Address>> taken_of(const HandoverMessage& ready, const Handover& handover);
  Result<std::vector<net::Address>> hand_over(net::DescriptorChannel& channel);

  std::optional<net::DescriptorListener> listener_;
  platform::Descriptor interrupt_;  // readable: stop
  Server& server_;
  pid_t successor_ = 0;
  std::thread thread_;
};

}  // namespace sandgate::server
