// SPDX-License-Identifier: Apache-2.0
#include "net/inherited_sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace sandgate::net {
namespace {

// Away from descriptors that the test program has.
constexpr int kFirst = 200;

platform::Descriptor bound_socket(std::string_view text, int type = SOCK_STREAM) {
  Address address = *parse_listen_address(text);
  platform::Descriptor socket(::socket(address.storage.ss_family, type, 0));
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0) << text;
  return socket;
}

platform::Descriptor listening_socket(std::string_view text) {
  platform::Descriptor socket = bound_socket(text);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

Address address_of(const platform::Descriptor& socket) {
  Address address;
  address.length = sizeof(address.storage);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length), 0);
  return address;
}

void place(const platform::Descriptor& socket, int at) { ASSERT_EQ(::dup2(socket.get(), at), at); }

std::string error_of(const InheritedSockets::Variables& variables) {
  Result<InheritedSockets> sockets = InheritedSockets::from_service_manager(variables, 7, kFirst);
  return sockets ? "" : sockets.error().detail;
}

TEST(InheritedSockets, AreClaimedByTheirAddress) {
  platform::Descriptor one = listening_socket("127.0.0.1:0");
  platform::Descriptor other = listening_socket("127.0.0.1:0");
  place(one, kFirst);
  place(other, kFirst + 1);
  Result<InheritedSockets> sockets = InheritedSockets::from_service_manager({"7", "2", "http:admin"}, 7, kFirst);
  ASSERT_TRUE(sockets) << sockets.error().detail;
  EXPECT_TRUE(sockets->claim(*parse_listen_address("127.0.0.2:1"), "main").empty());
  EXPECT_TRUE(sockets->claim(*parse_listen_address("127.0.0.1:0"), "main").empty()) << "nobody chose a port";
  std::vector<ListeningSocket> claimed = sockets->claim(address_of(other), "main");
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].descriptor.get(), kFirst + 1);
  EXPECT_NE(::fcntl(kFirst + 1, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(kFirst + 1, F_GETFL) & O_NONBLOCK, 0);
  ASSERT_EQ(sockets->left().size(), 1U);
  EXPECT_EQ(sockets->left()[0].origin, "descriptor 200 (http) of LISTEN_FDS");
  EXPECT_TRUE(sockets->claim(address_of(other), "main").empty()) << "claimed already";
}

TEST(InheritedSockets, SeveralOfOneAddressAreClaimedTogetherAndOneTwiceIsOne) {
  platform::Descriptor one(::socket(AF_INET, SOCK_STREAM, 0));
  platform::Descriptor twin(::socket(AF_INET, SOCK_STREAM, 0));
  Address address = *parse_listen_address("127.0.0.1:0");
  int on = 1;
  for (platform::Descriptor* socket : {&one, &twin}) {
    ASSERT_EQ(::setsockopt(socket->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
    ASSERT_EQ(::bind(socket->get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0);
    ASSERT_EQ(::listen(socket->get(), 1), 0);
    address = address_of(*socket);
  }
  InheritedSockets sockets;
  for (const platform::Descriptor* socket : {&one, &one, &twin})
    ASSERT_TRUE(sockets.add({platform::Descriptor(::dup(socket->get())), {}, "main", "127.0.0.1:0", "a test"}));
  EXPECT_TRUE(sockets.claim(*parse_listen_address("127.0.0.1:0"), "admin").empty()) << "another listener's choice";
  EXPECT_EQ(sockets.claim(*parse_listen_address("127.0.0.1:0"), "main").size(), 2U);
  EXPECT_TRUE(sockets.left().empty());
}

TEST(InheritedSockets, AreNotThoseOfAnotherProcess) {
  for (InheritedSockets::Variables variables : {InheritedSockets::Variables{"8", "1", nullptr},
                                                {nullptr, "1", nullptr},
                                                {"7", nullptr, nullptr},
                                                {"x", "1", nullptr}}) {
    Result<InheritedSockets> sockets = InheritedSockets::from_service_manager(variables, 7, kFirst);
    ASSERT_TRUE(sockets);
    EXPECT_TRUE(sockets->left().empty());
  }
}

TEST(InheritedSockets, RefuseWhatIsNoListeningSocket) {
  EXPECT_NE(error_of({"7", "many", nullptr}).find("LISTEN_FDS is \"many\""), std::string::npos);
  EXPECT_NE(error_of({"7", "-1", nullptr}).find("LISTEN_FDS"), std::string::npos);
  EXPECT_NE(error_of({"7", "241", nullptr}).find("0 to 240"), std::string::npos);
  platform::Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  place(file, kFirst);
  EXPECT_EQ(error_of({"7", "1", "log"}),
            "descriptor 200 (log) of LISTEN_FDS is no listening TCP or Unix stream socket");
  platform::Descriptor datagrams = bound_socket("127.0.0.1:0", SOCK_DGRAM);
  place(datagrams, kFirst);
  EXPECT_NE(error_of({"7", "1", nullptr}), "");
  platform::Descriptor deaf = bound_socket("127.0.0.1:0");
  place(deaf, kFirst);
  EXPECT_NE(error_of({"7", "1", nullptr}), "");
}

TEST(InheritedSockets, LeaveNothingInTheEnvironment) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_FDNAMES", "a", 1);
  Result<InheritedSockets> sockets = InheritedSockets::from_environment();
  ASSERT_TRUE(sockets);
  EXPECT_TRUE(sockets->left().empty());
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) EXPECT_EQ(::getenv(name), nullptr) << name;
}

}  // namespace
}  // namespace sandgate::net
