// SPDX-License-Identifier: Apache-2.0
#include "net/testing/loop_fixture.h"

#include <fcntl.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <thread>

namespace sandgate::net::testing {
namespace {

std::array<platform::Descriptor, 2> connect_tcp() {
  platform::Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.get(), any, length), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), any, &length), 0);
  platform::Descriptor mine(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(mine.get(), any, length), 0);
  platform::Descriptor theirs(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return {std::move(theirs), std::move(mine)};
}

std::array<platform::Descriptor, 2> connect_unix() {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {platform::Descriptor(ends[0]), platform::Descriptor(ends[1])};
}

}  // namespace

StreamPair make_pair(LoopThread& loop, Transport transport) {
  std::array<platform::Descriptor, 2> ends = transport == Transport::kTcp ? connect_tcp() : connect_unix();
  EXPECT_EQ(::fcntl(ends[0].get(), F_SETFL, O_NONBLOCK), 0);
  StreamPair pair;
  pair.stream = StreamPtr(Stream::create(loop, std::move(ends[0])));
  pair.peer = std::make_unique<test::RawClient>(std::move(ends[1]));
  return pair;
}

platform::Descriptor connecting_to(std::uint16_t port) {
  platform::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  EXPECT_TRUE(result == 0 || errno == EINPROGRESS);
  return socket;
}

FullBacklog::FullBacklog() : listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.get(), any, length), 0);
  EXPECT_EQ(::listen(listener.get(), 0), 0);
  EXPECT_EQ(::getsockname(listener.get(), any, &length), 0);
  port = ntohs(address.sin_port);
  for (int i = 0; i < 4; ++i) fillers.push_back(connecting_to(port));
  // Until the kernel has answered those it can.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

}  // namespace sandgate::net::testing
