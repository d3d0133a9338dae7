// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "platform/descriptor.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::telemetry {
namespace {

constexpr std::size_t kPipeBytes = 4096;  // the least a pipe may hold

// A pipe that holds little, with a reader that never waits.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    SANDGATE_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read_ = platform::Descriptor(ends[0]);
    write_ = platform::Descriptor(ends[1]);
    ::fcntl(read_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(write_.get(), F_SETPIPE_SZ, static_cast<int>(kPipeBytes));
  }
  int fd() const { return write_.get(); }
  // What is in the pipe now.
  std::string read() {
    std::string text;
    std::array<char, kPipeBytes> buffer;
    ssize_t got = 0;
    while ((got = ::read(read_.get(), buffer.data(), buffer.size())) > 0)
      text.append(buffer.data(), static_cast<std::size_t>(got));
    return text;
  }
  void close_reader() { read_.reset(); }

 private:
  platform::Descriptor read_;
  platform::Descriptor write_;
};

std::size_t lines_in(std::string_view text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    fake_.exchange.record.status = 200;
    fake_.exchange.target = target_;
  }
  ~AccessLogTest() override { log_.reset(); }  // before the loop

  void open(int fd, AccessLogFormat format = AccessLogFormat::kText) {
    log_ = AccessLog::create({.format = format, .fd = fd}, 1);
  }
  void record(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) log_->record(fake_.exchange, Nanoseconds(1000));
  }

  std::string target_ = "/" + std::string(100, 'a');
  test::FakeExchange fake_{"GET", "/"};
  std::unique_ptr<AccessLog> log_;
};

TEST_F(AccessLogTest, GathersLinesAndWritesThemAfterAMoment) {
  Pipe pipe;
  open(pipe.fd());
  record(3);
  EXPECT_EQ(pipe.read(), "");
  fake_.loop.advance(AccessLog::kFlushAfter + Loop::kTimerTick);
  EXPECT_EQ(lines_in(pipe.read()), 3U);
  record();
  fake_.loop.advance(AccessLog::kFlushAfter + Loop::kTimerTick);
  EXPECT_EQ(lines_in(pipe.read()), 1U);
}

TEST_F(AccessLogTest, WritesEarlierWhenThereIsMuch) {
  test::TemporaryFolder folder;
  platform::Descriptor file(::open(folder.path("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  open(file.get());
  std::size_t lines = 0;
  while (folder.read("log").empty()) {
    record();
    ASSERT_LT(++lines, 1000U);
  }
  std::string text = folder.read("log");
  EXPECT_GE(text.size(), AccessLog::kFlushBytes);
  EXPECT_EQ(lines_in(text), lines);
}

TEST_F(AccessLogTest, WritesWhatIsLeftAtTheEnd) {
  Pipe pipe;
  open(pipe.fd());
  record(2);
  log_.reset();
  EXPECT_EQ(lines_in(pipe.read()), 2U);
}

TEST_F(AccessLogTest, WritesOnDemand) {
  Pipe pipe;
  open(pipe.fd());
  record(2);
  log_->flush(0);
  EXPECT_EQ(lines_in(pipe.read()), 2U);
}

TEST_F(AccessLogTest, NeverWaitsForAReaderAndCountsWhatItDrops) {
  Pipe pipe;
  open(pipe.fd());
  constexpr std::size_t kLines = 10'000;
  record(kLines);  // would never return if it waited
  EXPECT_GT(log_->dropped(), 0U);
  // The reader comes back: everything that was not dropped arrives, in whole lines.
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += pipe.read();
    fake_.loop.advance(AccessLog::kFlushAfter + Loop::kTimerTick);
  }
  text += pipe.read();
  EXPECT_EQ(lines_in(text) + log_->dropped(), kLines);
  std::string first = text.substr(0, text.find('\n') + 1);
  for (std::size_t at = 0; at < text.size(); at += first.size()) ASSERT_EQ(text.substr(at, first.size()), first);
}

TEST_F(AccessLogTest, OutlivesItsReader) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  open(pipe.fd());
  pipe.close_reader();
  record(5);
  log_->flush(0);
  EXPECT_EQ(log_->dropped(), 5U);
}

TEST_F(AccessLogTest, WritesNothingWhenItIsOff) {
  Pipe pipe;
  open(pipe.fd(), AccessLogFormat::kOff);
  record(1000);
  log_.reset();
  EXPECT_EQ(pipe.read(), "");
}

TEST(AccessLog, KeepsLinesOfSeveralLoopsWhole) {
  constexpr unsigned kLoops = 3;
  constexpr std::size_t kLines = 2000;
  test::TemporaryFolder folder;
  platform::Descriptor file(::open(folder.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  std::vector<std::unique_ptr<test::FakeExchange>> exchanges;
  for (unsigned i = 0; i < kLoops; ++i) {
    exchanges.push_back(std::make_unique<test::FakeExchange>("GET", "/", i));
    exchanges.back()->exchange.received_unix_ms = 0;
  }
  std::unique_ptr<AccessLog> log = AccessLog::create({.format = AccessLogFormat::kText, .fd = file.get()}, kLoops);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kLoops; ++i) {
    threads.emplace_back([&log, &fake = *exchanges[i]] {
      for (std::size_t line = 0; line < kLines; ++line) log->record(fake.exchange, Nanoseconds(1000));
    });
  }
  for (std::thread& thread : threads) thread.join();
  log.reset();
  std::string text = folder.read("log");
  EXPECT_EQ(lines_in(text), kLoops * kLines);
  std::string first = text.substr(0, text.find('\n') + 1);
  for (std::size_t at = 0; at < text.size(); at += first.size()) ASSERT_EQ(text.substr(at, first.size()), first);
}

}  // namespace
}  // namespace sandgate::telemetry
