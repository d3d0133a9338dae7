// SPDX-License-Identifier: Apache-2.0
#include "net/connect.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "platform/file.h"

namespace sandgate::net {

Task<Result<StreamPtr>> connect(LoopThread& loop, const Address& address, Milliseconds timeout, StreamPtr& pending) {
  int family = address.storage.ss_family;
  platform::Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return fail(ErrorKind::kOverloaded, "no socket is left", platform::system_error_text(errno));
  int on = 1;
  if (family != AF_UNIX) ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  int started = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  int error_number = started == 0 ? 0 : errno;
  StreamPtr stream(Stream::create(loop, std::move(socket)));
  if (!stream) co_return fail(ErrorKind::kOverloaded, "no socket is left");
  if (error_number == EINPROGRESS) {
    pending = stream;
    error_number = co_await stream->connected(timeout);
    pending = StreamPtr();
  }
  if (error_number == 0) co_return stream;
  stream->close();
  ErrorKind kind = error_number == ETIMEDOUT ? ErrorKind::kTimedOut : ErrorKind::kUpstream;
  co_return fail(kind, "it cannot be reached",
                 fmt::format("{}: {}", address.text(), platform::system_error_text(error_number)));
}

}  // namespace sandgate::net
