// SPDX-License-Identifier: Apache-2.0
#include "modules/guest_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sandgate::modules {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class GuestLogTest : public testing::Test {
 protected:
  void write(std::string_view text, std::string_view module = "auth", bool is_stderr = false) {
    log_.write(module, "id-1",
               {.source = is_stderr ? sandbox::LineSource::kStderr : sandbox::LineSource::kStdout, .text = text});
  }
  // How many of `count` lines got through.
  std::size_t write_many(std::size_t count, std::string_view module = "auth") {
    std::size_t before = lines_.size();
    for (std::size_t i = 0; i < count; ++i) write("x", module);
    return lines_.size() - before;
  }

  Nanoseconds now_ = std::chrono::hours(1);
  std::vector<std::string> lines_;
  GuestLog log_{[this] { return now_; }, [this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(GuestLogTest, NamesModuleRequestAndStream) {
  write("hello");
  write("oh", "auth", true);
  EXPECT_THAT(lines_, ElementsAre("guest auth request id-1 stdout: hello", "guest auth request id-1 stderr: oh"));
}

TEST_F(GuestLogTest, EscapesWhatTheGuestWrote) {
  write("a\nb\r\x1b[31m\"\\\xff");
  EXPECT_THAT(lines_, ElementsAre(R"(guest auth request id-1 stdout: a\x0ab\x0d\x1b[31m\"\\\xff)"));
}

TEST_F(GuestLogTest, CutsLongLines) {
  write(std::string(GuestLog::kLineBytesMax + 1, 'x'));
  EXPECT_EQ(lines_.at(0), "guest auth request id-1 stdout: " + std::string(GuestLog::kLineBytesMax, 'x') + "...");
}

TEST_F(GuestLogTest, ShowsLevelAndContextOfWasiLogging) {
  sandbox::GuestLine line{.source = sandbox::LineSource::kLogging, .level = sandbox::LineLevel::kWarn, .text = "full"};
  log_.write("auth", "id-1", line);
  line.context = "cache\n";
  log_.write("auth", "id-1", line);
  EXPECT_THAT(lines_,
              ElementsAre("guest auth request id-1 warn: full", R"(guest auth request id-1 warn [cache\x0a]: full)"));
}

TEST_F(GuestLogTest, LetsABurstThroughAndThenTheRate) {
  EXPECT_EQ(write_many(1000), GuestLog::kLinesBurst);
  now_ += std::chrono::milliseconds(100);
  // Ten lines, one of them behind the notice.
  EXPECT_EQ(write_many(1000), GuestLog::kLinesPerSecond / 10 + 1);
}

TEST_F(GuestLogTest, TellsOnceHowManyLinesWereDropped) {
  write_many(1000);
  lines_.clear();
  now_ += std::chrono::milliseconds(20);
  write("first after");
  write("second after");
  EXPECT_THAT(lines_, ElementsAre("guest auth: 800 lines dropped, over 100 lines per second",
                                  "guest auth request id-1 stdout: first after",
                                  "guest auth request id-1 stdout: second after"));
}

TEST_F(GuestLogTest, TellsAtMostOnceASecond) {
  write_many(1000);
  lines_.clear();
  for (int i = 0; i < 100; ++i) {
    now_ += std::chrono::milliseconds(10);
    write_many(5);
  }
  auto is_notice = [](const std::string& line) { return line.find("dropped") != std::string::npos; };
  EXPECT_EQ(std::ranges::count_if(lines_, is_notice), 1);
  now_ += std::chrono::seconds(1);
  write("x");
  EXPECT_EQ(std::ranges::count_if(lines_, is_notice), 2);
  // Nothing is lost from the counts: 500 tried, 100 admitted, all told by now.
  EXPECT_EQ(lines_.at(lines_.size() - 2), "guest auth: 400 lines dropped, over 100 lines per second");
}

TEST_F(GuestLogTest, GivesEachModuleItsOwnRate) {
  write_many(1000, "noisy");
  EXPECT_EQ(write_many(10, "quiet"), 10U);
}

TEST_F(GuestLogTest, NeverSavesUpMoreThanABurst) {
  write_many(1);
  now_ += std::chrono::hours(10);
  EXPECT_EQ(write_many(1000), GuestLog::kLinesBurst);
}

TEST_F(GuestLogTest, IsBoundedInModules) {
  for (std::size_t i = 0; i < 3 * GuestLog::kModulesMax; ++i) write("x", "module-" + std::to_string(i));
  EXPECT_EQ(lines_.size(), 3 * GuestLog::kModulesMax);
}

TEST_F(GuestLogTest, StandsAClockThatAnotherThreadReadEarlier) {
  write("x");
  now_ -= std::chrono::milliseconds(1);
  write("x");
  EXPECT_EQ(lines_.size(), 2U);
}

}  // namespace
}  // namespace sandgate::modules
