// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/loop_thread.h"
#include "platform/file.h"

namespace sandgate::net {
namespace {

std::unexpected<Error> listen_failure(const Address& address) {
  int error_number = errno;
  if (error_number == EADDRINUSE) {
    return fail(ErrorKind::kOverloaded, fmt::format("cannot listen on {}: another program has it; stop that or choose "
                                                    "another port",
                                                    address.text()));
  }
  if (error_number == EACCES) {
    return fail(ErrorKind::kDenied,
                fmt::format("cannot listen on {}: not permitted; ports below 1024 need privileges", address.text()));
  }
  return fail(ErrorKind::kInternal,
              fmt::format("cannot listen on {}: {}", address.text(), platform::system_error_text(error_number)));
}

const char* path_of(const Address& address) { return reinterpret_cast<const sockaddr_un&>(address.storage).sun_path; }

// A socket file that nobody listens on is left over from a server that was killed. Does not wait: a server whose
// backlog is full is alive.
void remove_stale_socket(const Address& address) {
  struct stat status{};
  if (::lstat(path_of(address), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  platform::Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) return;
  int connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  if (connected != 0 && errno == ECONNREFUSED) ::unlink(path_of(address));
}

// Errors of the connection that was to be accepted, not of the listener: accept(2), "Error handling".
bool concerns_one_connection(int error_number) {
  switch (error_number) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
  }
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::create(LoopThread& loop, const Address& address, Sink& sink,
                                                   unsigned unix_socket_mode) {
  int family = address.storage.ss_family;
  platform::Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return listen_failure(address);
  int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (family == AF_UNIX) {
    remove_stale_socket(address);
  } else {
    // Inherited by accepted sockets: one system call less per connection.
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) {
    return listen_failure(address);
  }
  // Nobody can connect before listen().
  if (family == AF_UNIX && unix_socket_mode != 0 && ::chmod(path_of(address), unix_socket_mode) != 0)
    return listen_failure(address);
  if (::listen(socket.get(), kBacklog) != 0) return listen_failure(address);
  Address bound;
  bound.length = sizeof(bound.storage);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0) {
    return listen_failure(address);
  }
  ListeningSocket made{std::move(socket), bound, {}, {}, {}};
  if (family != AF_UNIX && address.port() == 0) made.asked = address.text();
  return std::unique_ptr<Listener>(new Listener(loop, std::move(made), sink, SocketFile::kOurs));
}

std::unique_ptr<Listener> Listener::adopt(LoopThread& loop, ListeningSocket socket, Sink& sink) {
  return std::unique_ptr<Listener>(new Listener(loop, std::move(socket), sink, SocketFile::kOthers));
}

Listener::Listener(LoopThread& loop, ListeningSocket socket, Sink& sink, SocketFile file)
    : loop_(loop),
      socket_(std::move(socket.descriptor)),
      address_(socket.address),
      asked_(std::move(socket.asked)),
      file_(file),
      sink_(sink),
      pause_(loop, &Listener::pause_over, this) {}

Listener::~Listener() { stop(Backlog::kReset); }

Result<ListeningSocket> Listener::share() const {
  platform::Descriptor shared(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0));
  if (!shared) return fail(ErrorKind::kInternal, "no descriptor is left", platform::system_error_text(errno));
  return ListeningSocket{std::move(shared), address_, {}, asked_, {}};
}

void Listener::start() {
  if (!socket_) return;
  watched_ = loop_.poller().watch(socket_.get(), *this);
  if (!watched_) pause();
}

void Listener::stop(Backlog backlog) {
  if (!socket_) return;
  int left = watched_ && backlog == Backlog::kAccept ? kBacklog : 0;
  while (left-- > 0 && accept_one() == Accepted::kOne) {}
  pause_.disarm();
  loop_.poller().unwatch(socket_.get(), *this);
  socket_.reset();
  if (address_.storage.ss_family == AF_UNIX && file_ == SocketFile::kOurs && backlog != Backlog::kShared)
    ::unlink(path_of(address_));
}

void Listener::ready(std::uint32_t) {
  if (!pause_.armed()) accept_batch();
}

Listener::Accepted Listener::accept_one() {
  if (!sink_.has_room()) return Accepted::kNotNow;
  Address peer;
  peer.length = sizeof(peer.storage);
  platform::Descriptor socket(
      ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Accepted::kNothingThere;
    // Out of descriptors or memory: more attempts now would only spin.
    return concerns_one_connection(errno) ? Accepted::kOne : Accepted::kNotNow;
  }
  Address local = address_;
  if (local.is_any()) {
    local.length = sizeof(local.storage);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local.storage), &local.length);
  }
  sink_.accepted(std::move(socket), peer, local);
  return Accepted::kOne;
}

void Listener::accept_batch() {
  for (int i = 0; i < kBatch; ++i) {
    Accepted accepted = accept_one();
    if (accepted == Accepted::kNothingThere) return;
    if (accepted == Accepted::kNotNow) return pause();
  }
  loop_.poller().tell_again(socket_.get(), *this);
}

void Listener::pause() {
  sink_.paused();
  pause_.arm(kPause);
}

void Listener::pause_over(void* owner) {
  auto& listener = *static_cast<Listener*>(owner);
  if (listener.watched_) {
    listener.accept_batch();
  } else {
    listener.start();
  }
}

}  // namespace sandgate::net
