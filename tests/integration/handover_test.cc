// SPDX-License-Identifier: Apache-2.0
//
// One process takes the place of another while clients ask: over the socket of [server] handover, and with sockets that
// a service manager passes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/address.h"
#include "net/descriptor_channel.h"
#include "server/handover_message.h"
#include "tests/integration/process.h"
#include "tests/integration/worker.h"
#include "tests/support/http_client.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

using server::HandoverMessage;
using Kind = server::HandoverMessage::Kind;

constexpr Milliseconds kPatience{20'000};

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

platform::Descriptor listening_socket(std::string_view text) {
  net::Address address = *net::parse_listen_address(text);
  platform::Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0) << text;
  EXPECT_EQ(::listen(socket.get(), 100), 0);
  return socket;
}

std::uint16_t port_of(const platform::Descriptor& socket) {
  net::Address address;
  address.length = sizeof(address.storage);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length), 0);
  return address.port();
}

Received ask_unix(const std::string& path, const std::string& target) {
  net::Address address = *net::parse_listen_address("unix:" + path);
  platform::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0) return {};
  RawClient client(std::move(socket));
  client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return client.receive_response();
}

// Clients that ask one after the other until the end, half of them on one connection as long as that is kept, and count
// what goes wrong. Nobody asks twice: a connection that ends without having said so is a failure.
class Load {
 public:
  Load(std::uint16_t port, int clients) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this, port, i] { ask(port, i % 2 == 0); });
  }
  ~Load() { stop(); }
  void stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int answered() const { return answered_; }
  int failed() const { return failed_; }
  // Waits until so many more were answered.
  void wait_for(int more) const {
    for (int until = answered_ + more, i = 0; i < 10'000 && answered_ < until; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

 private:
  void ask(std::uint16_t port, bool keep_alive) {
    std::string request = "GET /status/200 HTTP/1.1\r\nHost: a\r\n";
    request += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
    std::unique_ptr<RawClient> client;
    while (!stop_) {
      if (!client) client = std::make_unique<RawClient>(port);
      bool sent = client->connected() && client->send(request);
      Received response = sent ? client->receive_response() : Received();
      ++(response.status == 200 && response.complete ? answered_ : failed_);
      if (response.status != 200 || response.field("connection")) client.reset();
    }
  }

  std::vector<std::thread> threads_;
  std::atomic<bool> stop_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> failed_{0};
};

// ThreadSanitizer leaves no room for the engine's pool: servers with modules do not start under it.
#if defined(__has_feature) && __has_feature(thread_sanitizer)
constexpr bool kModulesRun = false;
#else
constexpr bool kModulesRun = true;
#endif

class HandoverTest : public testing::Test {
 protected:
  std::unique_ptr<Process> start(const std::string& threads = "1", std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"serve", "--worker-urls", worker_.url(), "--port",     "0",         "--threads",
                                      threads, "--access-log",  "off",         "--handover", socket_path_};
    words.insert(words.end(), more.begin(), more.end());
    return std::make_unique<Process>(std::move(words));
  }
  std::vector<std::string> modules(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"--enable-wasm", "--data-dir", folder_.path("data"), "--cache-dir",
                                      folder_.path("cache")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // As a successor that says what it likes.
  std::unique_ptr<net::DescriptorChannel> connect() {
    Result<std::unique_ptr<net::DescriptorChannel>> channel = net::DescriptorChannel::connect(socket_path_);
    EXPECT_TRUE(channel && *channel != nullptr);
    return channel ? std::move(*channel) : nullptr;
  }
  static HandoverMessage hear(net::DescriptorChannel& channel) {
    Result<net::DescriptorChannel::Message> message =
        channel.receive(kPatience, net::DescriptorChannel::kDescriptorsMax);
    EXPECT_TRUE(message) << message.error().detail;
    if (!message) return {};
    return *server::parse_handover_message(message->text);
  }

  Worker worker_;
  TemporaryFolder folder_;
  std::string socket_path_ = folder_.path("handover.sock");
};

TEST_F(HandoverTest, FiveHandoversUnderLoadLoseNoRequest) {
  std::unique_ptr<Process> serving = start("1");
  std::uint16_t port = serving->wait_until_it_listens();
  ASSERT_NE(port, 0) << serving->text();
  struct stat status{};
  ASSERT_EQ(::stat(socket_path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  Load load(port, 6);
  // More loops than before, and fewer.
  for (const char* threads : {"3", "1", "4", "2", "1"}) {
    load.wait_for(50);
    std::unique_ptr<Process> successor = start(threads);
    EXPECT_EQ(successor->wait_until_it_listens(), port) << successor->text();
    EXPECT_EQ(serving->wait(), 0) << serving->text();
    EXPECT_TRUE(contains(serving->text(), "handed over to process")) << serving->text();
    EXPECT_EQ(load.failed(), 0);
    serving = std::move(successor);
  }
  load.wait_for(50);
  load.stop();
  EXPECT_EQ(load.failed(), 0) << "of " << load.answered();
  serving->signal(SIGTERM);
  EXPECT_EQ(serving->wait(), 0) << serving->text();
  EXPECT_NE(::access(socket_path_.c_str(), F_OK), 0) << "nobody waits there any more";
}

TEST_F(HandoverTest, ASuccessorThatFailsChangesNothing) {
  if (!kModulesRun) GTEST_SKIP() << "servers with modules do not start under ThreadSanitizer";
  std::unique_ptr<Process> serving = start("1", modules());
  std::uint16_t port = serving->wait_until_it_listens();
  ASSERT_NE(port, 0) << serving->text();
  Load load(port, 4);
  // One that is wrong before it asks, one after that, one that hears nothing, one that leaves, one that talks nonsense.
  EXPECT_EQ(start("0", {"--worker-urls", "ftp://x"})->wait(), 2);
  std::unique_ptr<Process> late =
      start("1", modules({"--wasm-module", "a=" + folder_.path("none.wasm") + "@OnRequest"}));
  EXPECT_EQ(late->wait(), 2) << late->text();
  EXPECT_TRUE(contains(late->text(), "serves until this server is ready")) << late->text();
  {
    std::unique_ptr<net::DescriptorChannel> channel = connect();
    ASSERT_TRUE(channel->send(server::write_handover_message({.kind = Kind::kHello})));
    HandoverMessage offer = hear(*channel);
    EXPECT_EQ(offer.kind, Kind::kOffer);
    ASSERT_EQ(offer.sockets.size(), 1U);
    EXPECT_EQ(offer.sockets[0].listener, "main");
    EXPECT_EQ(offer.sockets[0].asked, "127.0.0.1:0");
    EXPECT_TRUE(offer.data_lock);
    Received refused = fetch(port, "DELETE", "/wasm/anything");
    EXPECT_EQ(refused.status, 503) << "two servers have the data directory";
    EXPECT_TRUE(refused.field("retry-after"));
  }
  for (const char* nonsense : {"nonsense", R"({"handover_version":99,"message":"hello"})",
                               R"({"handover_version":1,"message":"ready","taken":[0]})"}) {
    std::unique_ptr<net::DescriptorChannel> channel = connect();
    ASSERT_TRUE(channel->send(nonsense));
    EXPECT_EQ(hear(*channel).kind, Kind::kCancelled) << nonsense;
  }
  {
    std::unique_ptr<net::DescriptorChannel> channel = connect();
    ASSERT_TRUE(channel->send(server::write_handover_message({.kind = Kind::kHello})));
    hear(*channel);
    HandoverMessage ready;
    ready.kind = Kind::kReady;
    ready.taken = {7};
    ASSERT_TRUE(channel->send(server::write_handover_message(ready)));
    EXPECT_EQ(hear(*channel).kind, Kind::kCancelled) << "it was not offered so many";
  }
  EXPECT_EQ(fetch(port, "DELETE", "/wasm/anything").status, 400) << "changes are served again";
  load.wait_for(50);
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  // And a good one is welcome.
  std::unique_ptr<Process> successor = start("1", modules());
  EXPECT_EQ(successor->wait_until_it_listens(), port) << successor->text();
  EXPECT_EQ(serving->wait(), 0) << serving->text();
}

TEST_F(HandoverTest, ModulesGoAlongAndAreChangedByTheSuccessor) {
  if (!kModulesRun) GTEST_SKIP() << "servers with modules do not start under ThreadSanitizer";
  std::unique_ptr<Process> serving = start("1", modules());
  std::uint16_t port = serving->wait_until_it_listens();
  ASSERT_NE(port, 0) << serving->text();
  ASSERT_EQ(fetch(port, "PUT", "/wasm/first?attach=OnRequest", {}, read_guest("continue_all")).status, 201);
  std::unique_ptr<Process> successor =
      start("1", modules({"--wasm-module", "second=" + guest_path("reject_403") + "@OnRequest"}));
  ASSERT_EQ(successor->wait_until_it_listens(), port) << successor->text();
  EXPECT_EQ(serving->wait(), 0) << serving->text();
  EXPECT_EQ(get(port, "/status/200").status, 403);
  EXPECT_EQ(fetch(port, "PUT", "/wasm/third?attach=OnRequest", {}, read_guest("append_a")).status, 201);
  // What each of them was told is there after a crash.
  successor->signal(SIGKILL);
  EXPECT_EQ(successor->wait(), 1000 + SIGKILL);
  std::unique_ptr<Process> again = start("1", modules());
  port = again->wait_until_it_listens();
  ASSERT_NE(port, 0) << again->text();
  std::string list = get(port, "/wasm").body;
  for (const char* name : {"\"first\"", "\"second\"", "\"third\""}) EXPECT_TRUE(contains(list, name)) << list;
}

TEST_F(HandoverTest, WhatAFailedSuccessorDeployedIsNotKept) {
  if (!kModulesRun) GTEST_SKIP() << "servers with modules do not start under ThreadSanitizer";
  std::unique_ptr<Process> serving = start("1", modules());
  std::uint16_t port = serving->wait_until_it_listens();
  ASSERT_EQ(fetch(port, "PUT", "/wasm/kept?attach=OnRequest", {}, read_guest("continue_all")).status, 201);
  // It replaces the module, adds one, and then fails for its last word.
  std::unique_ptr<Process> failing =
      start("1", modules({"--wasm-module", "kept=" + guest_path("reject_403") + "@OnRequest", "--wasm-module",
                          "more=" + guest_path("append_a") + "@OnRequest", "--wasm-module",
                          "a=" + folder_.path("none.wasm") + "@OnRequest"}));
  EXPECT_EQ(failing->wait(), 2) << failing->text();
  // The first one learns of its end a moment later, and says until then when to come again.
  Received deployed;
  for (int i = 0; i < 500 && (i == 0 || deployed.status == 503); ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    deployed = fetch(port, "PUT", "/wasm/more?attach=OnRequest", {}, read_guest("append_b"));
  }
  EXPECT_EQ(deployed.status, 201) << deployed.body;
  serving->signal(SIGTERM);
  EXPECT_EQ(serving->wait(), 0);
  std::unique_ptr<Process> again = start("1", modules());
  port = again->wait_until_it_listens();
  EXPECT_EQ(get(port, "/status/200").status, 200) << "the module that was kept lets everybody in";
}

TEST_F(HandoverTest, TheAdminSocketAndTheMetricsListenerGoAlong) {
  std::string admin = folder_.path("admin.sock");
  std::vector<std::string> more = {"--admin-listen", "unix:" + admin, "--metrics-listen", "127.0.0.1:0"};
  std::unique_ptr<Process> serving = start("1", more);
  std::uint16_t port = serving->wait_until_it_listens();
  ASSERT_NE(port, 0) << serving->text();
  struct stat before{};
  ASSERT_EQ(::stat(admin.c_str(), &before), 0);
  for (int i = 0; i < 2; ++i) {
    std::unique_ptr<Process> successor = start("2", more);
    ASSERT_EQ(successor->wait_until_it_listens(), port) << successor->text();
    EXPECT_EQ(serving->wait(), 0) << serving->text();
    serving = std::move(successor);
    EXPECT_EQ(ask_unix(admin, "/healthz").status, 200);
    struct stat after{};
    ASSERT_EQ(::stat(admin.c_str(), &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino) << "it is the same socket";
  }
  // One that has no such listener any more.
  std::unique_ptr<Process> without = start("1", {"--metrics-listen", "127.0.0.1:0"});
  ASSERT_EQ(without->wait_until_it_listens(), port) << without->text();
  EXPECT_EQ(serving->wait(), 0);
  EXPECT_EQ(ask_unix(admin, "/healthz").status, 0);
  EXPECT_EQ(get(port, "/status/200").status, 200);
}

TEST_F(HandoverTest, TheFileOfAServerThatWasKilledIsReplaced) {
  std::unique_ptr<Process> serving = start();
  std::uint16_t port = serving->wait_until_it_listens();
  ASSERT_NE(port, 0);
  serving->signal(SIGKILL);
  EXPECT_EQ(serving->wait(), 1000 + SIGKILL);
  ASSERT_EQ(::access(socket_path_.c_str(), F_OK), 0);
  std::unique_ptr<Process> next = start();
  EXPECT_NE(next->wait_until_it_listens(), 0) << "the file it left is replaced: " << next->text();
}

TEST_F(HandoverTest, AServerThatIsToldToEndEndsItsConversation) {
  std::unique_ptr<Process> serving = start();
  ASSERT_NE(serving->wait_until_it_listens(), 0);
  std::unique_ptr<net::DescriptorChannel> channel = connect();
  ASSERT_TRUE(channel->send(server::write_handover_message({.kind = Kind::kHello})));
  EXPECT_EQ(hear(*channel).kind, Kind::kOffer);
  serving->signal(SIGTERM);
  EXPECT_EQ(hear(*channel).kind, Kind::kCancelled);
  EXPECT_EQ(serving->wait(), 0);
}

// A server that hands over in its own way.
class OddPredecessor : public HandoverTest {
 protected:
  // To the next successor, after its hello.
  net::DescriptorChannel offer(const HandoverMessage& message) {
    Result<net::DescriptorChannel> channel = listener_.accept(-1);
    EXPECT_TRUE(channel);
    EXPECT_EQ(hear(*channel).kind, Kind::kHello);
    std::array<int, 2> descriptors{main_.get(), listener_.descriptor()};
    EXPECT_TRUE(channel->send(server::write_handover_message(message), descriptors));
    return *std::move(channel);
  }
  HandoverMessage whole_offer() const {
    HandoverMessage message;
    message.kind = Kind::kOffer;
    message.sockets = {{"main", "127.0.0.1:" + std::to_string(port_of(main_)), "127.0.0.1:0", 0}};
    return message;
  }

  net::DescriptorListener listener_ = *net::DescriptorListener::create(socket_path_);
  platform::Descriptor main_ = listening_socket("127.0.0.1:0");
};

TEST_F(OddPredecessor, ThatDiesLeavesTheSuccessorServing) {
  std::uint16_t port = port_of(main_);
  RawClient waiting(port);
  waiting.send("GET /status/200 HTTP/1.1\r\nHost: a\r\n\r\n");
  std::unique_ptr<Process> successor = start();
  { net::DescriptorChannel channel = offer(whole_offer()); }
  main_.reset();
  listener_.leave_file();
  EXPECT_EQ(successor->wait_until_it_listens(), port) << successor->text();
  EXPECT_EQ(waiting.receive_response().status, 200);
  // Which waits for its own.
  std::unique_ptr<Process> next = start();
  EXPECT_EQ(next->wait_until_it_listens(), port) << next->text();
  EXPECT_EQ(successor->wait(), 0);
}

TEST_F(OddPredecessor, ThatGoesOnItselfEndsTheSuccessor) {
  std::unique_ptr<Process> successor = start();
  net::DescriptorChannel channel = offer(whole_offer());
  HandoverMessage ready = hear(channel);
  EXPECT_EQ(ready.kind, Kind::kReady);
  EXPECT_EQ(ready.taken, (std::vector<std::size_t>{0}));
  HandoverMessage cancelled;
  cancelled.kind = Kind::kCancelled;
  cancelled.reason = "changed its mind";
  ASSERT_TRUE(channel.send(server::write_handover_message(cancelled)));
  EXPECT_EQ(successor->wait(), 1);
  EXPECT_TRUE(contains(successor->text(), "goes on itself: changed its mind")) << successor->text();
  EXPECT_EQ(::access(socket_path_.c_str(), F_OK), 0) << "it still listens";
}

TEST_F(OddPredecessor, WhoseOfferIsNotWholeOrOfAnotherVersionIsNotTrusted) {
  HandoverMessage two = whole_offer();
  two.sockets.push_back(two.sockets.front());
  std::unique_ptr<Process> successor = start();
  net::DescriptorChannel first = offer(two);
  EXPECT_EQ(successor->wait(), 2);
  EXPECT_TRUE(contains(successor->text(), "its offer is not whole")) << successor->text();
  successor = start();
  Result<net::DescriptorChannel> second = listener_.accept(-1);
  ASSERT_TRUE(second);
  ASSERT_TRUE(second->send(R"({"handover_version":2,"message":"offer"})"));
  EXPECT_EQ(successor->wait(), 2);
  EXPECT_TRUE(contains(successor->text(), "version 2, this one in version 1")) << successor->text();
}

TEST_F(HandoverTest, AnotherUserGetsNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  std::unique_ptr<Process> serving = start();
  ASSERT_NE(serving->wait_until_it_listens(), 0);
  // The permissions of the file keep others out; here the kernel's word about the peer must.
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(socket_path_.c_str(), 0777), 0);
  constexpr uid_t kNobody = 65534;
  pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(1);
    Result<std::unique_ptr<net::DescriptorChannel>> channel = net::DescriptorChannel::connect(socket_path_);
    if (!channel || *channel == nullptr) ::_exit(2);
    (void)(*channel)->send(server::write_handover_message({.kind = Kind::kHello}));
    Result<net::DescriptorChannel::Message> message = (*channel)->receive(kPatience);
    ::_exit(message && contains(message->text, "cancelled") && contains(message->text, "65534") ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(HandoverTest, SaysWhatIsWrongWithItsPath) {
  socket_path_ = folder_.path(std::string(120, 'a'));
  std::unique_ptr<Process> too_long = start();
  EXPECT_EQ(too_long->wait(), 2);
  EXPECT_TRUE(contains(too_long->text(), "--handover: ")) << too_long->text();
  EXPECT_TRUE(contains(too_long->text(), "1 to 107 bytes")) << too_long->text();
  socket_path_ = folder_.path("missing/handover.sock");
  std::unique_ptr<Process> no_folder = start();
  EXPECT_EQ(no_folder->wait(), 2);
  EXPECT_TRUE(contains(no_folder->text(), "its folder is not there")) << no_folder->text();
}

class SocketActivation : public HandoverTest {};

TEST_F(SocketActivation, AcceptsOnTheSocketsThatWerePassed) {
  std::string admin = folder_.path("admin.sock");
  platform::Descriptor main = listening_socket("127.0.0.1:0");
  platform::Descriptor unix_socket = listening_socket("unix:" + admin);
  std::uint16_t port = port_of(main);
  // Who connects before there is a server waits for it.
  RawClient early(port);
  early.send("GET /status/200 HTTP/1.1\r\nHost: a\r\n\r\n");
  std::vector<std::string> words = {"serve",          "--worker-urls", worker_.url(), "--port", std::to_string(port),
                                    "--admin-listen", "unix:" + admin};
  for (int round = 0; round < 2; ++round) {
    Process gateway(words, {main.get(), unix_socket.get()});
    EXPECT_EQ(gateway.wait_until_it_listens(), port) << gateway.text();
    EXPECT_TRUE(contains(gateway.text(), "of LISTEN_FDS")) << gateway.text();
    if (round == 0) EXPECT_EQ(early.receive_response().status, 200);
    EXPECT_EQ(get(port, "/status/200").status, 200);
    EXPECT_EQ(ask_unix(admin, "/healthz").status, 200);
    gateway.signal(SIGTERM);
    EXPECT_EQ(gateway.wait(), 0);
    EXPECT_EQ(::access(admin.c_str(), F_OK), 0) << "the file is the service manager's";
  }
}

TEST_F(SocketActivation, AListenerThatWasNotPassedIsBound) {
  platform::Descriptor main = listening_socket("127.0.0.1:0");
  std::uint16_t port = port_of(main);
  std::string admin = folder_.path("admin.sock");
  Process gateway(
      {"serve", "--worker-urls", worker_.url(), "--port", std::to_string(port), "--admin-listen", "unix:" + admin},
      {main.get()});
  EXPECT_EQ(gateway.wait_until_it_listens(), port) << gateway.text();
  EXPECT_EQ(ask_unix(admin, "/healthz").status, 200);
}

TEST_F(SocketActivation, ASocketOfNoListenerEndsTheStart) {
  platform::Descriptor stray = listening_socket("127.0.0.1:0");
  Process gateway({"serve", "--worker-urls", worker_.url(), "--port", "0"}, {stray.get()});
  EXPECT_EQ(gateway.wait(), 2);
  EXPECT_TRUE(
      contains(gateway.text(), "descriptor 3 of LISTEN_FDS is bound to 127.0.0.1:" + std::to_string(port_of(stray))))
      << gateway.text();
  platform::Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Process none({"serve", "--worker-urls", worker_.url(), "--port", "0"}, {file.get()});
  EXPECT_EQ(none.wait(), 2);
  EXPECT_TRUE(contains(none.text(), "no listening TCP or Unix stream socket")) << none.text();
}

TEST_F(SocketActivation, AndAHandoverServeTheSameSocketOnce) {
  platform::Descriptor main = listening_socket("127.0.0.1:0");
  std::string port = std::to_string(port_of(main));
  std::vector<std::string> words = {"serve", "--worker-urls", worker_.url(), "--port",
                                    port,    "--handover",    socket_path_};
  Process first(words, {main.get()});
  EXPECT_EQ(std::to_string(first.wait_until_it_listens()), port) << first.text();
  Process second(words, {main.get()});
  EXPECT_EQ(std::to_string(second.wait_until_it_listens()), port) << second.text();
  EXPECT_EQ(first.wait(), 0) << first.text();
  EXPECT_EQ(get(port_of(main), "/status/200").status, 200);
}

}  // namespace
}  // namespace sandgate::test
