// SPDX-License-Identifier: Apache-2.0
#include "net/inherited_sockets.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace sandgate::net {
namespace {

std::optional<int> parse_number(const char* text) {
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const char* last = text + std::strlen(text);
  auto [end, failure] = std::from_chars(text, last, number);
  if (failure != std::errc() || end != last || number < 0) return std::nullopt;
  return number;
}

// The next of a list with colons between; what is missing has no name.
std::string take_name(std::string_view& names) {
  std::size_t colon = names.find(':');
  std::string name(names.substr(0, colon));
  names = colon == std::string_view::npos ? std::string_view() : names.substr(colon + 1);
  return name;
}

int option_of(const platform::Descriptor& socket, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  return ::getsockopt(socket.get(), SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

bool is_same_socket(const platform::Descriptor& one, const platform::Descriptor& other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one.get(), &a) == 0 && ::fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

Result<InheritedSockets> InheritedSockets::from_environment() {
  Result<InheritedSockets> sockets = from_service_manager(
      {std::getenv("LISTEN_PID"), std::getenv("LISTEN_FDS"), std::getenv("LISTEN_FDNAMES")}, ::getpid());
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return sockets;
}

Result<InheritedSockets> InheritedSockets::from_service_manager(const Variables& variables, int own_pid, int first) {
  InheritedSockets sockets;
  // A parent's variables that this process only inherited are not meant for it.
  if (variables.count == nullptr || parse_number(variables.pid) != own_pid) return sockets;
  std::optional<int> count = parse_number(variables.count);
  if (!count || *count > static_cast<int>(kMost)) {
    return fail(ErrorKind::kInvalid, fmt::format("LISTEN_FDS is \"{}\": the service manager passes 0 to {} sockets",
                                                 variables.count, kMost));
  }
  std::string_view names = variables.names == nullptr ? "" : variables.names;
  for (int descriptor = first; descriptor < first + *count; ++descriptor) {
    std::string name = take_name(names);
    ListeningSocket socket;
    socket.descriptor = platform::Descriptor(descriptor);
    socket.origin = fmt::format("descriptor {}{} of LISTEN_FDS", descriptor, name.empty() ? "" : " (" + name + ")");
    if (Status added = sockets.add(std::move(socket)); !added) return fail(std::move(added.error()));
  }
  return sockets;
}

Status InheritedSockets::add(ListeningSocket socket) {
  if (sockets_.size() >= kMost)
    return fail(ErrorKind::kTooLarge, fmt::format("more than {} sockets are inherited", kMost));
  int descriptor = socket.descriptor.get();
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  Address& address = socket.address;
  address.length = sizeof(address.storage);
  bool named = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address.storage), &address.length) == 0;
  const int family = address.storage.ss_family;
  const bool known = named && (family == AF_INET || family == AF_INET6 || family == AF_UNIX);
  if (!known || option_of(socket.descriptor, SO_TYPE) != SOCK_STREAM ||
      option_of(socket.descriptor, SO_ACCEPTCONN) != 1) {
    return fail(ErrorKind::kInvalid, fmt::format("{} is no listening TCP or Unix stream socket", socket.origin));
  }
  int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0)
    return fail(ErrorKind::kInvalid, fmt::format("{} cannot be made non-blocking", socket.origin));
  int on = 1;
  // Inherited by accepted sockets, as for those that a listener makes.
  if (family != AF_UNIX) ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  bool here_already = std::ranges::any_of(
      sockets_, [&](const ListeningSocket& other) { return is_same_socket(other.descriptor, socket.descriptor); });
  if (!here_already) sockets_.push_back(std::move(socket));
  return {};
}

// Compared as text: what the kernel and a resolver leave in the unused bytes of an address differs.
std::vector<ListeningSocket> InheritedSockets::claim(const Address& wanted, const std::string& listener) {
  std::string text = wanted.text();
  if (wanted.storage.ss_family != AF_UNIX && wanted.port() == 0) {
    auto chosen = std::ranges::find_if(
        sockets_, [&](const ListeningSocket& socket) { return socket.asked == text && socket.listener == listener; });
    if (chosen == sockets_.end()) return {};
    text = chosen->address.text();
  }
  std::vector<ListeningSocket> claimed;
  for (ListeningSocket& socket : sockets_) {
    if (socket.address.text() == text) claimed.push_back(std::move(socket));
  }
  std::erase_if(sockets_, [](const ListeningSocket& socket) { return !socket.descriptor; });
  return claimed;
}

}  // namespace sandgate::net
