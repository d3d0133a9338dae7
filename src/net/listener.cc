// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "net/loop_thread.h"
#include "platform/descriptor.h"
#include "platform/file.h"

namespace sandgate::net {
namespace {

std::unexpected<Error> listen_failure(const Address& address) {
  int error_number = errno;
  if (error_number == EADDRINUSE) {
    return fail(ErrorKind::kInvalid, fmt::format("cannot listen on {}: another program has it; stop that or choose another port", address.text()));
  }
  if (error_number == EACCES) {
    return fail(ErrorKind::kDenied, fmt::format("cannot listen on {}: not permitted; ports below 1024 need privileges", address.text()));
  }
  return fail(ErrorKind::kInternal, fmt::format("cannot listen on {}: {}", address.text(), platform::system_error_text(error_number)));
}

// A socket file that nobody listens on is left over from a server that was killed.
void remove_stale_socket(const Address& address) {
  const char* path = reinterpret_cast<const sockaddr_un&>(address.storage).sun_path;
  struct stat status {};
  if (::lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  platform::Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return;
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0 && errno == ECONNREFUSED) ::unlink(path);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::create(LoopThread& loop, const Address& address, Sink& sink) {
  int family = address.storage.ss_family;
  platform::Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return listen_failure(address);
  int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (family == AF_UNIX) remove_stale_socket(address);
  // Inherited by accepted sockets: one system call less per connection.
  if (family != AF_UNIX) ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) return listen_failure(address);
  if (::listen(socket.get(), kBacklog) != 0) return listen_failure(address);
  Address bound;
  bound.length = sizeof(bound.storage);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0) return listen_failure(address);
  Acceptor acceptor(loop.context().get_executor());
  boost::system::error_code failure;
  acceptor.assign(asio::generic::stream_protocol(family, 0), socket.get(), failure);
  if (failure) return fail(ErrorKind::kInternal, "cannot watch the listening socket", failure.message());
  socket.release();
  return std::unique_ptr<Listener>(new Listener(loop, std::move(acceptor), bound, sink));
}

Listener::Listener(LoopThread& loop, Acceptor acceptor, const Address& address, Sink& sink)
    : acceptor_(std::move(acceptor)), address_(address), sink_(sink), pause_(loop, &Listener::pause_over, this) {}

Listener::~Listener() { stop(); }

void Listener::stop() {
  if (!acceptor_.is_open()) return;
  *alive_ = false;
  pause_.disarm();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (address_.storage.ss_family == AF_UNIX) ::unlink(reinterpret_cast<const sockaddr_un&>(address_.storage).sun_path);
}

void Listener::wait() {
  acceptor_.async_wait(Acceptor::wait_read, [this, alive = alive_](const boost::system::error_code& failure) {
    if (*alive && !failure) accept_batch();
  });
}

void Listener::accept_batch() {
  for (int i = 0; i < kBatch; ++i) {
    if (!sink_.has_room()) {
      sink_.paused();
      return pause_.arm(kPause);
    }
    Address peer;
    peer.length = sizeof(peer.storage);
    int socket = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // Out of descriptors or memory: more attempts now would only spin.
      sink_.paused();
      return pause_.arm(kPause);
    }
    Address local;
    local.length = sizeof(local.storage);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&local.storage), &local.length);
    sink_.accepted(socket, peer, local);
  }
  wait();
}

void Listener::pause_over(void* owner) { static_cast<Listener*>(owner)->accept_batch(); }

}  // namespace sandgate::net
