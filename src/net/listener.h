// SPDX-License-Identifier: Apache-2.0
//
// One listening socket. Accepts on its loop while there is room, in batches; at the limit of connections or out of descriptors it pauses instead of spinning, and the
// backlog of the kernel keeps the clients. Step 1 of the life of a request.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "net/address.h"
#include "net/asio.h"
#include "net/server_options.h"

namespace sandgate::net {

class LoopThread;

class Listener {
 public:
  // Connections accepted per turn, so that a flood of them does not starve those that are open.
  static constexpr int kBatch = 32;
  static constexpr int kBacklog = 4096;
  // How long accepting rests when there is no room or no descriptor.
  static constexpr Milliseconds kPause{20};

  // What becomes of an accepted socket (non-blocking, close-on-exec). Returns false when there is no room for another one now: the listener pauses.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual bool has_room() = 0;
    virtual void accepted(int socket, const Address& peer, const Address& local) = 0;
    virtual void paused() = 0;
  };

  static Result<std::unique_ptr<Listener>> create(LoopThread& loop, const Address& address, Sink& sink);
  ~Listener();

  const Address& address() const { return address_; }
  // On the loop's thread.
  void start() { wait(); }
  void stop();

 private:
  Listener(LoopThread& loop, Acceptor acceptor, const Address& address, Sink& sink);
  void wait();
  void accept_batch();
  static void pause_over(void* owner);

  Acceptor acceptor_;
  Address address_;
  Sink& sink_;
  Timer pause_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace sandgate::net
