// SPDX-License-Identifier: Apache-2.0
#include "base/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace sandgate {
namespace {

// Runs `task` from a root and keeps its value.
template <typename T>
Detached run(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}
Detached run(Task<void> task, bool& ended) {
  co_await std::move(task);
  ended = true;
}

Task<int> number(int value) { co_return value; }

Task<int> sum(int left, int right) {
  const int first = co_await number(left);
  const int second = co_await number(right);
  co_return first + second;
}

TEST(Task, GivesItsValueToItsAwaiter) {
  std::optional<int> result;
  run(sum(3, 4), result);
  EXPECT_EQ(result, 7);
}

Task<void> note(std::string& notes, std::string text) {
  notes += text;
  co_return;
}

TEST(Task, StartsWhenAwaitedAndNotBefore) {
  std::string notes;
  { Task<void> never = note(notes, "never"); }
  Task<void> later = note(notes, "later");
  EXPECT_EQ(notes, "");
  bool ended = false;
  run(std::move(later), ended);
  EXPECT_EQ(notes, "later");
  EXPECT_TRUE(ended);
}

Task<std::unique_ptr<int>> boxed(int value) { co_return std::make_unique<int>(value); }
Task<Result<std::string>> failing() { co_return fail(ErrorKind::kDenied, "no"); }

TEST(Task, CarriesTypesThatOnlyMove) {
  std::optional<std::unique_ptr<int>> box;
  run(boxed(5), box);
  ASSERT_TRUE(box.has_value());
  EXPECT_EQ(**box, 5);
  std::optional<Result<std::string>> result;
  run(failing(), result);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->error().detail, "no");
}

// Notes when it goes: parameters and locals of a coroutine must end with it.
class Tracer {
 public:
  explicit Tracer(std::string& notes, char mark) : notes_(&notes), mark_(mark) {}
  Tracer(Tracer&& other) noexcept : notes_(std::exchange(other.notes_, nullptr)), mark_(other.mark_) {}
  Tracer& operator=(Tracer&&) = delete;
  ~Tracer() {
    if (notes_ != nullptr) *notes_ += mark_;
  }

 private:
  std::string* notes_;
  char mark_;
};

Task<void> with_tracers(Tracer parameter, std::string& notes, Event& event) {
  Tracer local(notes, 'l');
  co_await event.wait();
  notes += '.';
}

TEST(Task, DestroysItsFrameOnce) {
  std::string notes;
  Event event;
  bool ended = false;
  run(with_tracers(Tracer(notes, 'p'), notes, event), ended);
  EXPECT_EQ(notes, "");
  event.set();
  EXPECT_EQ(notes, ".lp");
  EXPECT_TRUE(ended);
}

TEST(Task, NeverAwaitedDestroysItsParameters) {
  std::string notes;
  Event event;
  { Task<void> task = with_tracers(Tracer(notes, 'p'), notes, event); }
  EXPECT_EQ(notes, "p");
}

// The stack must not grow with the depth of awaiting nor with the number of awaits in a row: the address of a local
// says how deep it is. Checked with a margin of a megabyte: 100,000 frames without symmetric transfer take many.
struct StackRange {
  std::uintptr_t lowest = UINTPTR_MAX;
  std::uintptr_t highest = 0;
  [[gnu::noinline]] void note() {
    auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest = std::min(lowest, here);
    highest = std::max(highest, here);
  }
  std::uintptr_t bytes() const { return highest - lowest; }
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDGATE_SANITIZED 1
#endif
#endif
// Symmetric transfer is a tail call, which clang makes with optimisation only, and sanitizers not always.
#if defined(__OPTIMIZE__) && !defined(SANDGATE_SANITIZED)
constexpr int kDepth = 100000;
#else
constexpr int kDepth = 1000;
#endif
constexpr std::uintptr_t kStackBytesMax = 1 << 20;

Task<int> nested(int depth, StackRange& stack) {
  stack.note();
  if (depth == 0) co_return 0;
  const int below = co_await nested(depth - 1, stack);
  stack.note();
  co_return below + 1;
}

TEST(Task, NestsDeeplyWithoutStack) {
  StackRange stack;
  std::optional<int> result;
  run(nested(kDepth, stack), result);
  EXPECT_EQ(result, kDepth);
  EXPECT_LT(stack.bytes(), kStackBytesMax);
}

Task<int> in_a_row(int count, StackRange& stack) {
  int total = 0;
  for (int i = 0; i < count; ++i) {
    const int one = co_await number(1);
    total += one;
    stack.note();
  }
  co_return total;
}

TEST(Task, AwaitsManyInARowWithoutStack) {
  StackRange stack;
  std::optional<int> result;
  run(in_a_row(kDepth, stack), result);
  EXPECT_EQ(result, kDepth);
  EXPECT_LT(stack.bytes(), kStackBytesMax);
}

Task<int> nested_until(int depth, Event& event) {
  if (depth == 0) {
    co_await event.wait();
    co_return 0;
  }
  const int below = co_await nested_until(depth - 1, event);
  co_return below + 1;
}

TEST(Task, UnwindsAChainWhenItsLeafIsResumed) {
  Event event;
  std::optional<int> result;
  run(nested_until(kDepth, event), result);
  EXPECT_EQ(result, std::nullopt);
  EXPECT_TRUE(event.has_waiter());
  event.set();
  EXPECT_EQ(result, kDepth);
}

Task<void> wait_and_note(Event& event, std::string& notes) {
  notes += 'w';
  co_await event.wait();
  notes += 's';
}

TEST(Event, ResumesItsWaiterFromWithinSet) {
  Event event;
  std::string notes;
  bool ended = false;
  run(wait_and_note(event, notes), ended);
  EXPECT_EQ(notes, "w");
  EXPECT_TRUE(event.has_waiter());
  event.set();
  EXPECT_EQ(notes, "ws");
  EXPECT_FALSE(event.has_waiter());
}

TEST(Event, PassesWhenSetBefore) {
  Event event;
  event.set();
  std::string notes;
  bool ended = false;
  run(wait_and_note(event, notes), ended);
  EXPECT_TRUE(ended);
  EXPECT_TRUE(event.is_set());
}

Task<void> wait_twice(Event& event, std::string& notes) {
  co_await event.wait();
  notes += '1';
  event.reset();
  co_await event.wait();
  notes += '2';
}

TEST(Event, WaitsAgainAfterReset) {
  Event event;
  std::string notes;
  bool ended = false;
  run(wait_twice(event, notes), ended);
  event.set();
  EXPECT_EQ(notes, "1");
  event.set();
  EXPECT_EQ(notes, "12");
}

Detached detached(Event& event, Tracer tracer, std::string& notes) {
  notes += '1';
  co_await event.wait();
  notes += '2';
}

TEST(Detached, RunsAtOnceAndFreesItselfAtItsEnd) {
  Event event;
  std::string notes;
  detached(event, Tracer(notes, 't'), notes);
  EXPECT_EQ(notes, "1");
  event.set();
  EXPECT_EQ(notes, "12t");
}

TEST(EventDeathTest, HasOneWaiter) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Event event;
  std::string notes;
  bool ended = false;
  run(wait_and_note(event, notes), ended);
  EXPECT_DEATH(run(wait_and_note(event, notes), ended), "check failed");
  event.set();
}

}  // namespace
}  // namespace sandgate
