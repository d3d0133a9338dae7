// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets that this process did not make: from a service manager (sd_listen_fds(3)) or from the server that
// ran before. The listeners claim them by address; what nobody claims is closed with this. One thread at a time.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/listening_socket.h"

namespace sandgate::net {

class InheritedSockets {
 public:
  // Of one process: what one message can carry to the next (SCM_MAX_FD of the kernel is 253), with room for what is no
  // listener.
  static constexpr std::size_t kMost = 240;
  // SD_LISTEN_FDS_START.
  static constexpr int kFirstDescriptor = 3;

  // LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES as the environment has them; null: not set.
  struct Variables {
    const char* pid = nullptr;
    const char* count = nullptr;
    const char* names = nullptr;
  };

  InheritedSockets() = default;

  // What a service manager left in the environment, from which it is removed: children inherit neither that nor the
  // sockets. Nothing when it is meant for another process. kInvalid when the variables are wrong or a descriptor is no
  // listening stream socket: it names both. Before there are other threads.
  static Result<InheritedSockets> from_environment();
  // The same from these words, for the process `own_pid`; the descriptors `first` and on are taken.
  static Result<InheritedSockets> from_service_manager(const Variables& variables, int own_pid,
                                                       int first = kFirstDescriptor);

  // Makes it close-on-exec and non-blocking and looks up its address. A socket that is here already counts once.
  // kInvalid when it is no listening TCP or Unix socket, kTooLarge beyond kMost.
  Status add(ListeningSocket socket);

  // All sockets that are bound to `wanted`; when its port is 0, those of the first port that the process before chose
  // for the same words and the same listener.
  std::vector<ListeningSocket> claim(const Address& wanted, const std::string& listener);
  // Those that nobody claimed.
  std::span<const ListeningSocket> left() const { return sockets_; }

 private:
  std::vector<ListeningSocket> sockets_;
};

}  // namespace sandgate::net
