// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <initializer_list>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sandgate::net {
namespace {

using Addresses = Result<std::vector<Address>>;
using ::testing::ElementsAre;

constexpr std::chrono::seconds kPatience{20};

// A look-up that waits until the test lets it go on.
struct Held {
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> may_end{0};
  std::atomic<int> asked{0};

  // What is left of it is the resolver's: the system may come back after the test.
  static Resolver::LookUp look_up(const std::shared_ptr<Held>& held) {
    return [held](std::string_view, std::uint16_t port) -> Addresses {
      ++held->asked;
      held->begun.release();
      held->may_end.acquire();
      return resolve_all("127.0.0.1", port);
    };
  }
};

// Whether nobody holds it any more, waiting for a while.
bool gone(const std::weak_ptr<Held>& held) {
  for (int i = 0; i < 4000 && !held.expired(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return held.expired();
}

TEST(Resolver, LooksUpWhatItIsAsked) {
  Resolver resolver;
  std::promise<Addresses> answered;
  ASSERT_TRUE(resolver.ask("127.0.0.1", 80, [&](Addresses found) { answered.set_value(std::move(found)); }));
  std::future<Addresses> answer = answered.get_future();
  ASSERT_EQ(answer.wait_for(kPatience), std::future_status::ready);
  Addresses found = answer.get();
  ASSERT_TRUE(found) << found.error().detail;
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().text(), "127.0.0.1:80");
}

TEST(Resolver, AnswersInTheOrderOfTheQuestions) {
  std::vector<std::string> asked;  // the resolver's thread, until the last answer
  Resolver resolver([&asked](std::string_view host, std::uint16_t port) -> Addresses {
    asked.push_back(std::string(host) + ":" + std::to_string(port));
    return std::vector<Address>(port);
  });
  std::vector<std::size_t> answers;
  std::promise<void> all;
  for (std::uint16_t port : std::initializer_list<std::uint16_t>{3, 1, 2}) {
    ASSERT_TRUE(resolver.ask("a", port, [&](const Addresses& found) {
      answers.push_back(found->size());
      if (answers.size() == 3) all.set_value();
    }));
  }
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_THAT(asked, ElementsAre("a:3", "a:1", "a:2"));
  EXPECT_THAT(answers, ElementsAre(3U, 1U, 2U));
}

TEST(Resolver, AFailureIsAnAnswerAndTheNextQuestionIsAskedAllTheSame) {
  Resolver resolver([](std::string_view host, std::uint16_t) -> Addresses {
    if (host == "none.test") return fail(ErrorKind::kNotFound, "there is no such name");
    return std::vector<Address>(1);
  });
  std::promise<std::string> failed;
  std::promise<bool> found;
  ASSERT_TRUE(resolver.ask("none.test", 1, [&](const Addresses& answer) { failed.set_value(answer.error().detail); }));
  ASSERT_TRUE(resolver.ask("some.test", 1, [&](const Addresses& answer) { found.set_value(answer.has_value()); }));
  EXPECT_EQ(failed.get_future().get(), "there is no such name");
  EXPECT_TRUE(found.get_future().get());
}

TEST(Resolver, RefusesMoreQuestionsThanMayWait) {
  auto held = std::make_shared<Held>();
  std::weak_ptr<Held> watched = held;
  std::atomic<std::size_t> answers{0};
  {
    Resolver resolver(Held::look_up(held));
    auto count = [&answers](const Addresses&) { ++answers; };
    ASSERT_TRUE(resolver.ask("busy", 1, count));
    held->begun.acquire();
    for (std::size_t i = 0; i < Resolver::kQuestionsMax; ++i) ASSERT_TRUE(resolver.ask("waits", 1, count)) << i;
    EXPECT_FALSE(resolver.ask("one more", 1, count));
    EXPECT_EQ(answers, 0U);
    // One is through: there is room again.
    held->may_end.release();
    held->begun.acquire();
    EXPECT_EQ(answers, 1U);
    EXPECT_TRUE(resolver.ask("one more", 1, count));
  }
  EXPECT_EQ(held->asked, 2) << "what waits is not asked any more";
  held->may_end.release();
  held.reset();
  EXPECT_TRUE(gone(watched));
  EXPECT_EQ(answers, 1U) << "and nobody is answered";
}

TEST(Resolver, EndsWithoutWaitingForTheSystem) {
  auto held = std::make_shared<Held>();
  std::weak_ptr<Held> watched = held;
  auto answered = std::make_shared<std::atomic<bool>>(false);
  {
    Resolver resolver(Held::look_up(held));
    ASSERT_TRUE(resolver.ask("slow", 1, [answered](const Addresses&) { *answered = true; }));
    held->begun.acquire();
  }
  // The resolver is gone while the look-up is still there.
  EXPECT_FALSE(*answered);
  held->may_end.release();
  held.reset();
  EXPECT_TRUE(gone(watched)) << "its thread ends with the look-up";
  EXPECT_FALSE(*answered);
}

TEST(Resolver, EndsWithoutAQuestion) { Resolver resolver; }

// What the answer holds goes with the resolver, not with the process.
TEST(Resolver, QuestionsThatWaitAreDropped) {
  auto held = std::make_shared<Held>();
  auto token = std::make_shared<int>(1);
  std::weak_ptr<int> watched = token;
  std::weak_ptr<Held> look_up = held;
  {
    Resolver resolver(Held::look_up(held));
    ASSERT_TRUE(resolver.ask("busy", 1, [](const Addresses&) {}));
    held->begun.acquire();
    ASSERT_TRUE(resolver.ask("waits", 1, [token](const Addresses&) {}));
  }
  token.reset();
  held->may_end.release();
  held.reset();
  EXPECT_TRUE(gone(look_up));
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace sandgate::net
