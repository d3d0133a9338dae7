// SPDX-License-Identifier: Apache-2.0
#include "net/descriptor_channel.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "net/address.h"
#include "platform/clock.h"
#include "platform/file.h"

namespace sandgate::net {
namespace {

// One process is answered after the other.
constexpr int kBacklog = 8;
// A peer that does not read what fits into its buffer has stopped.
constexpr int kSendMilliseconds = 5'000;

using ControlBuffer = std::array<char, CMSG_SPACE(DescriptorChannel::kDescriptorsMax * sizeof(int))>;

std::unexpected<Error> failure(std::string_view doing) {
  return fail(ErrorKind::kInternal, fmt::format("{} failed", doing), platform::system_error_text(errno));
}

std::unexpected<Error> gone() { return fail(ErrorKind::kDisconnected, "the other process has ended the conversation"); }

platform::Descriptor make_socket() {
  return platform::Descriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Result<Address> address_of(const std::string& path) {
  Result<Address> address = parse_listen_address("unix:" + path);
  if (!address) return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, address.error().detail));
  return address;
}

const sockaddr* raw(const Address& address) { return reinterpret_cast<const sockaddr*>(&address.storage); }

enum class Ready : unsigned char { kYes, kTimedOut, kInterrupted, kFailed };

// `patience` of nothing: for ever.
Ready wait_for(int descriptor, short events, std::optional<Milliseconds> patience, int interrupt) {
  std::optional<Nanoseconds> deadline;
  if (patience) deadline = platform::monotonic_now() + *patience;
  for (;;) {
    int left = -1;
    if (deadline) {
      auto until = std::chrono::duration_cast<Milliseconds>(*deadline - platform::monotonic_now());
      left = static_cast<int>(std::max<Milliseconds::rep>(until.count(), 0));
    }
    // A negative descriptor is not looked at.
    std::array<pollfd, 2> watched{{{descriptor, events, 0}, {interrupt, POLLIN, 0}}};
    int found = ::poll(watched.data(), watched.size(), left);
    if (found < 0 && errno == EINTR) continue;
    if (found < 0) return Ready::kFailed;
    if (found == 0) return Ready::kTimedOut;
    return watched[1].revents != 0 ? Ready::kInterrupted : Ready::kYes;
  }
}

// What came with a message. Owned at once, so that nothing stays open when the message is refused.
std::vector<platform::Descriptor> take_descriptors(msghdr& message) {
  std::vector<platform::Descriptor> descriptors;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors.emplace_back(descriptor);
    }
  }
  return descriptors;
}

// A file that nobody listens on. Does not wait: who has a full backlog is alive.
Status remove_stale(const std::string& path, const Address& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode))
    return fail(ErrorKind::kInvalid, fmt::format("{} is there and is no socket; name another path", path));
  platform::Descriptor probe = make_socket();
  if (!probe) return failure("making a socket");
  if (::connect(probe.get(), raw(address), address.length) == 0 || errno == EAGAIN)
    return fail(ErrorKind::kOverloaded, fmt::format("another process listens at {}", path));
  if (errno == EPROTOTYPE)
    return fail(ErrorKind::kInvalid, fmt::format("{} is the socket of something else; name another path", path));
  if (errno == ECONNREFUSED) ::unlink(path.c_str());
  return {};
}

std::unexpected<Error> cannot_listen(const std::string& path) {
  int error_number = errno;
  std::string reason = platform::system_error_text(error_number);
  if (error_number == ENOENT || error_number == ENOTDIR)
    return fail(ErrorKind::kInvalid, fmt::format("cannot listen at {}: its folder is not there; make it", path),
                reason);
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS) {
    return fail(ErrorKind::kDenied, fmt::format("cannot listen at {}: its folder cannot be written by this user", path),
                reason);
  }
  return fail(ErrorKind::kInternal, fmt::format("cannot listen at {}", path), reason);
}

}  // namespace

Result<std::unique_ptr<DescriptorChannel>> DescriptorChannel::connect(const std::string& path) {
  Result<Address> address = address_of(path);
  if (!address) return fail(std::move(address.error()));
  platform::Descriptor socket = make_socket();
  if (!socket) return failure("making a socket");
  if (::connect(socket.get(), raw(*address), address->length) == 0)
    return std::make_unique<DescriptorChannel>(std::move(socket));
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return nullptr;
  if (errno == EACCES || errno == EPERM) {
    return fail(ErrorKind::kDenied, fmt::format("{} belongs to another user", path),
                platform::system_error_text(errno));
  }
  if (errno == EPROTOTYPE)
    return fail(ErrorKind::kInvalid, fmt::format("{} is the socket of something else; name another path", path));
  return failure("connecting to " + path);
}

Result<DescriptorChannel::Peer> DescriptorChannel::peer() const {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
    return failure("asking who the other process is");
  return Peer{credentials.pid, credentials.uid};
}

Status DescriptorChannel::send(std::string_view text, std::span<const int> descriptors) {
  if (text.size() > kMessageBytesMax || descriptors.size() > kDescriptorsMax)
    return fail(ErrorKind::kTooLarge, "the message is longer than the other process takes");
  iovec piece{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
    if (errno == EPIPE || errno == ECONNRESET || errno == ECONNREFUSED || errno == ENOTCONN) return gone();
    if (errno != EINTR && errno != EAGAIN) return failure("sending to the other process");
    Ready ready = wait_for(socket_.get(), POLLOUT, Milliseconds(kSendMilliseconds), -1);
    if (ready != Ready::kYes) return fail(ErrorKind::kTimedOut, "the other process does not read");
  }
}

Result<DescriptorChannel::Message> DescriptorChannel::receive(Milliseconds patience, std::size_t descriptors_max,
                                                              int interrupt) {
  Ready ready = wait_for(socket_.get(), POLLIN, patience, interrupt);
  if (ready == Ready::kTimedOut) return fail(ErrorKind::kTimedOut, "the other process said nothing for too long");
  if (ready == Ready::kInterrupted) return fail(ErrorKind::kDenied, "this process is ending");
  if (ready == Ready::kFailed) return failure("waiting for the other process");
  std::string text(kMessageBytesMax, '\0');
  iovec piece{text.data(), text.size()};
  alignas(cmsghdr) ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  constexpr int kFlags = MSG_CMSG_CLOEXEC | MSG_DONTWAIT;
  ssize_t count = ::recvmsg(socket_.get(), &message, kFlags);
  // It left with a message of ours unread, which the kernel tells first, once. What it said before that counts.
  if (count < 0 && errno == ECONNRESET) count = ::recvmsg(socket_.get(), &message, kFlags);
  if (count < 0 && errno != ECONNRESET) return failure("receiving from the other process");
  Message received;
  if (count > 0) received.descriptors = take_descriptors(message);
  // Nobody sends an empty message.
  if (count <= 0) return gone();
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || received.descriptors.size() > descriptors_max)
    return fail(ErrorKind::kInvalid, "the other process sent more than was to be expected");
  text.resize(static_cast<std::size_t>(count));
  received.text = std::move(text);
  return received;
}

bool DescriptorChannel::has_input() const {
  return wait_for(socket_.get(), POLLIN, Milliseconds(0), -1) == Ready::kYes;
}

Result<DescriptorListener> DescriptorListener::create(const std::string& path) {
  Result<Address> address = address_of(path);
  if (!address) return fail(std::move(address.error()));
  if (Status removed = remove_stale(path, *address); !removed) return fail(std::move(removed.error()));
  platform::Descriptor socket = make_socket();
  if (!socket) return cannot_listen(path);
  if (::bind(socket.get(), raw(*address), address->length) != 0) {
    if (errno == EADDRINUSE)
      return fail(ErrorKind::kOverloaded, fmt::format("another process began to listen at {} just now", path));
    return cannot_listen(path);
  }
  // Nobody can connect before listen().
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(socket.get(), kBacklog) != 0) return cannot_listen(path);
  return DescriptorListener(path, std::move(socket));
}

DescriptorListener DescriptorListener::adopt(std::string path, platform::Descriptor socket) {
  return {std::move(path), std::move(socket)};
}

DescriptorListener::~DescriptorListener() {
  if (socket_) ::unlink(path_.c_str());
}

Result<DescriptorChannel> DescriptorListener::accept(int interrupt) {
  for (;;) {
    Ready ready = wait_for(socket_.get(), POLLIN, std::nullopt, interrupt);
    if (ready == Ready::kInterrupted) return fail(ErrorKind::kDenied, "this process is ending");
    if (ready == Ready::kFailed) return failure("waiting for another process");
    platform::Descriptor connected(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connected) return DescriptorChannel(std::move(connected));
    // Who connected may be gone again.
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) return failure("accepting another process");
  }
}

}  // namespace sandgate::net
