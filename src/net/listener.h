// SPDX-License-Identifier: Apache-2.0
//
// One listening socket, made here or inherited. Accepts on its loop while there is room, in batches; at the limit of
// connections or out of descriptors it pauses instead of spinning, and the backlog of the kernel keeps the clients.
// Step 1 of the life of a request.
#pragma once

#include <memory>
#include <string>

#include "base/loop.h"
#include "base/result.h"
#include "net/address.h"
#include "net/listening_socket.h"
#include "net/poller.h"
#include "platform/descriptor.h"

namespace sandgate::net {

class LoopThread;

class Listener final : private Poller::Watcher {
 public:
  // Connections accepted per turn, so that a flood of them does not starve those that are open.
  static constexpr int kBatch = 32;
  static constexpr int kBacklog = 4096;
  // How long accepting rests when there is no room or no descriptor.
  static constexpr Milliseconds kPause{20};

  // What becomes of an accepted socket (non-blocking, close-on-exec). On the loop's thread.
  class Sink {
   public:
    virtual ~Sink() = default;
    // Whether another connection may be accepted now.
    virtual bool has_room() = 0;
    virtual void accepted(platform::Descriptor socket, const Address& peer, const Address& local) = 0;
    // There was no room, or no descriptor: for kPause nothing is accepted.
    virtual void paused() = 0;
  };

  // Binds and listens. kOverloaded when another program has the address, kDenied, kInternal. A Unix socket that nobody
  // listens on is replaced. `loop` and `sink` outlive the listener.
  // A Unix socket gets `unix_socket_mode` before anybody can connect, unless that is 0.
  static Result<std::unique_ptr<Listener>> create(LoopThread& loop, const Address& address, Sink& sink,
                                                  unsigned unix_socket_mode = 0);
  // Accepts from a socket that listens already, as InheritedSockets has them. The file of a Unix socket stays when the
  // listener ends: it is another's, or a stale one that the next server replaces. As above.
  static std::unique_ptr<Listener> adopt(LoopThread& loop, ListeningSocket socket, Sink& sink);
  // On the loop's thread, or when that does not run.
  ~Listener();

  // As bound: a port 0 has become a real one.
  const Address& address() const { return address_; }
  // The same socket for another process. kInternal: no descriptor is left. Not while stop() may run.
  Result<ListeningSocket> share() const;
  // On the loop's thread.
  void start();
  // What becomes of clients in the kernel's backlog, who were told that they are connected.
  enum class Backlog : unsigned char {
    kAccept,  // they are accepted first, as far as there is room
    kReset,
    kShared,  // they are left to another process that holds this socket, with the file of a Unix socket
  };
  // Closes. Idempotent; as the destructor.
  void stop(Backlog backlog);

 private:
  enum class SocketFile : bool { kOurs, kOthers };
  Listener(LoopThread& loop, ListeningSocket socket, Sink& sink, SocketFile file);

  void ready(std::uint32_t events) override;
  enum class Accepted : unsigned char { kOne, kNothingThere, kNotNow };
  Accepted accept_one();
  void accept_batch();
  void pause();
  static void pause_over(void* owner);

  LoopThread& loop_;
  platform::Descriptor socket_;
  Address address_;
  std::string asked_;  // as in ListeningSocket
  SocketFile file_;
  Sink& sink_;
  Timer pause_;
  bool watched_ = false;
};

}  // namespace sandgate::net
