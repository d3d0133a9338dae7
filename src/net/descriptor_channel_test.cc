// SPDX-License-Identifier: Apache-2.0
#include "net/descriptor_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace sandgate::net {
namespace {

constexpr Milliseconds kPatience{20'000};
constexpr Milliseconds kNotLong{20};

struct Pair {
  Pair() : Pair(ends()) {}
  static std::pair<int, int> ends() {
    std::array<int, 2> both{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both.data()), 0);
    return {both[0], both[1]};
  }
  explicit Pair(std::pair<int, int> both)
      : raw(both.first), here(platform::Descriptor(both.first)), there(platform::Descriptor(both.second)) {}

  int raw;  // of `here`
  DescriptorChannel here;
  DescriptorChannel there;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST(DescriptorChannel, CarriesTextAndDescriptors) {
  Pair pair;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  platform::Descriptor in(pipe[0]);
  platform::Descriptor out(pipe[1]);
  std::array<int, 1> carried{out.get()};
  ASSERT_TRUE(pair.here.send("one", carried));
  ASSERT_TRUE(pair.here.send("two"));
  EXPECT_TRUE(pair.there.has_input());
  Result<DescriptorChannel::Message> first = pair.there.receive(kPatience, 1);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->text, "one");
  ASSERT_EQ(first->descriptors.size(), 1U);
  EXPECT_NE(::fcntl(first->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  out.reset();
  EXPECT_EQ(::write(first->descriptors[0].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(in.get(), &byte, 1), 1);
  EXPECT_EQ(pair.there.receive(kPatience)->text, "two");
  EXPECT_FALSE(pair.there.has_input());
}

TEST(DescriptorChannel, KnowsItsPeer) {
  Pair pair;
  Result<DescriptorChannel::Peer> peer = pair.here.peer();
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->process, ::getpid());
  EXPECT_EQ(peer->user, ::geteuid());
}

TEST(DescriptorChannel, RefusesMoreDescriptorsThanExpectedAndClosesThem) {
  Pair pair;
  platform::Descriptor one(::eventfd(0, EFD_CLOEXEC));
  std::vector<int> many(3, one.get());
  std::size_t before = open_descriptors();
  ASSERT_TRUE(pair.here.send("take these", many));
  Result<DescriptorChannel::Message> refused = pair.there.receive(kPatience, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(open_descriptors(), before);
  many.assign(DescriptorChannel::kDescriptorsMax, one.get());
  ASSERT_TRUE(pair.here.send("all of them", many));
  EXPECT_EQ(pair.there.receive(kPatience, DescriptorChannel::kDescriptorsMax)->descriptors.size(), many.size());
  many.push_back(one.get());
  EXPECT_EQ(pair.here.send("one too many", many).error().kind, ErrorKind::kTooLarge);
}

TEST(DescriptorChannel, RefusesAMessageThatWasCutOff) {
  Pair pair;
  EXPECT_EQ(pair.here.send(std::string(DescriptorChannel::kMessageBytesMax + 1, 'a')).error().kind,
            ErrorKind::kTooLarge);
  std::string longer(DescriptorChannel::kMessageBytesMax + 1, 'a');
  ASSERT_EQ(::send(pair.raw, longer.data(), longer.size(), 0), static_cast<ssize_t>(longer.size()));
  EXPECT_EQ(pair.there.receive(kPatience).error().kind, ErrorKind::kInvalid);
  ASSERT_TRUE(pair.here.send(std::string(DescriptorChannel::kMessageBytesMax, 'a')));
  EXPECT_EQ(pair.there.receive(kPatience)->text.size(), DescriptorChannel::kMessageBytesMax);
}

TEST(DescriptorChannel, NeverWaitsForEver) {
  Pair pair;
  EXPECT_EQ(pair.here.receive(kNotLong).error().kind, ErrorKind::kTimedOut);
  platform::Descriptor interrupt(::eventfd(1, EFD_CLOEXEC));
  EXPECT_EQ(pair.here.receive(kPatience, 0, interrupt.get()).error().kind, ErrorKind::kDenied);
  { DescriptorChannel ended = std::move(pair.there); }
  EXPECT_EQ(pair.here.receive(kPatience).error().kind, ErrorKind::kDisconnected);
  EXPECT_EQ(pair.here.send("nobody hears").error().kind, ErrorKind::kDisconnected);
}

TEST(DescriptorChannel, HearsTheLastWordOfAPeerThatDidNotListen) {
  Pair pair;
  ASSERT_TRUE(pair.here.send("unread"));
  ASSERT_TRUE(pair.there.send("goodbye"));
  { DescriptorChannel ended = std::move(pair.there); }
  Result<DescriptorChannel::Message> last = pair.here.receive(kPatience);
  ASSERT_TRUE(last) << last.error().detail;
  EXPECT_EQ(last->text, "goodbye");
  EXPECT_EQ(pair.here.receive(kPatience).error().kind, ErrorKind::kDisconnected);
}

TEST(DescriptorListener, IsForItsUserAndRemovesItsFile) {
  test::TemporaryFolder folder;
  std::string path = folder.path("a.sock");
  {
    Result<DescriptorListener> listener = DescriptorListener::create(path);
    ASSERT_TRUE(listener) << listener.error().detail;
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    Result<std::unique_ptr<DescriptorChannel>> client = DescriptorChannel::connect(path);
    ASSERT_TRUE(client && *client);
    Result<DescriptorChannel> accepted = listener->accept(-1);
    ASSERT_TRUE(accepted);
    ASSERT_TRUE((*client)->send("hello"));
    EXPECT_EQ(accepted->receive(kPatience)->text, "hello");
    platform::Descriptor interrupt(::eventfd(1, EFD_CLOEXEC));
    EXPECT_EQ(listener->accept(interrupt.get()).error().kind, ErrorKind::kDenied);
    EXPECT_EQ(DescriptorListener::create(path).error().kind, ErrorKind::kOverloaded) << "somebody listens";
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(DescriptorListener, ReplacesAFileThatNobodyListensOn) {
  test::TemporaryFolder folder;
  std::string path = folder.path("a.sock");
  DescriptorListener::create(path)->leave_file();
  ASSERT_EQ(::access(path.c_str(), F_OK), 0);
  EXPECT_EQ(*DescriptorChannel::connect(path), nullptr);
  EXPECT_TRUE(DescriptorListener::create(path));
}

TEST(DescriptorListener, SaysWhatIsWrongWithAPath) {
  test::TemporaryFolder folder;
  auto refusal = [](const std::string& path) { return DescriptorListener::create(path).error().detail; };
  EXPECT_NE(refusal(folder.path(std::string(200, 'a'))).find("1 to 107 bytes"), std::string::npos);
  EXPECT_NE(refusal(folder.path("missing/a.sock")).find("folder is not there"), std::string::npos);
  EXPECT_NE(refusal(folder.write("file", "")).find("no socket"), std::string::npos);
  EXPECT_EQ(folder.read("file"), "") << "and it is still there";
  platform::Descriptor other(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, folder.path("b.sock").c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(other.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(other.get(), 1), 0);
  EXPECT_NE(refusal(folder.path("b.sock")).find("something else"), std::string::npos);
  EXPECT_EQ(DescriptorChannel::connect(folder.path("b.sock")).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(*DescriptorChannel::connect(folder.path("none.sock")), nullptr);
}

}  // namespace
}  // namespace sandgate::net
