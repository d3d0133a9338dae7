// SPDX-License-Identifier: Apache-2.0
//
// Coroutine shapes that a compiler must get right before we trust it with the rest. Debian 12's g++ 12.2 fails several
// of them, most without a word: a body with no declaration at its top level and an await in a condition never runs,
// `c ? co_await x : y` uses freed memory, `P{co_await a, co_await b}` frees twice, braced lists and statement
// expressions do not compile. Every shape runs on the smallest task there is and on sandgate::Task, and every value in
// it is counted.
#include <gtest/gtest.h>

#include <coroutine>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/task.h"

namespace {

// A value on the heap that knows how many of its kind live: a temporary destroyed twice, or never, shows.
class Tracked {
 public:
  explicit Tracked(int value) : value_(std::make_unique<int>(value)) { ++live; }
  Tracked(const Tracked& other) : value_(std::make_unique<int>(*other.value_)) { ++live; }
  Tracked(Tracked&& other) noexcept : value_(std::move(other.value_)) { ++live; }
  Tracked& operator=(Tracked other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Tracked() { --live; }

  int value() const { return value_ ? *value_ : -1; }

  static inline int live = 0;

 private:
  std::unique_ptr<int> value_;
};

struct Pair {
  Tracked first;
  Tracked second;
};

// The smallest task: lazy, one owner, resumes its caller at the end, lets exceptions through.
template <typename T>
class SmallTask {
 public:
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr error;
    std::coroutine_handle<> caller = std::noop_coroutine();

    SmallTask get_return_object() { return SmallTask(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          return self.promise().caller;
        }
        void await_resume() noexcept {}
      };
      return Final{};
    }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() { error = std::current_exception(); }
  };

  explicit SmallTask(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  SmallTask(SmallTask&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  SmallTask(const SmallTask&) = delete;
  SmallTask& operator=(SmallTask&&) = delete;
  ~SmallTask() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().caller = caller;
    return handle_;
  }
  T await_resume() { return result(); }

  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }
  T result() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return std::move(*handle_.promise().value);
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

// Coroutines that wait for the next turn of `run`.
std::deque<std::coroutine_handle<>> ready;

struct NextTurn {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self) const { ready.push_back(self); }
  void await_resume() const {}
};

void turn_until_idle() {
  while (!ready.empty()) {
    auto next = ready.front();
    ready.pop_front();
    next.resume();
  }
}

struct Small {
  template <typename T>
  using Co = SmallTask<T>;

  template <typename T>
  static T run(SmallTask<T> task) {
    task.start();
    turn_until_idle();
    return task.result();
  }
};

struct Ours {
  template <typename T>
  using Co = sandgate::Task<T>;

  template <typename T>
  static sandgate::Detached keep_result(sandgate::Task<T> task, std::optional<T>& result) {
    result = co_await std::move(task);
  }

  template <typename T>
  static T run(sandgate::Task<T> task) {
    std::optional<T> result;
    keep_result(std::move(task), result);
    turn_until_idle();
    return std::move(result).value();
  }
};

template <typename Kind>
class CoroutineShapes : public testing::Test {
 public:
  template <typename T>
  using Co = typename Kind::template Co<T>;

  static Co<Tracked> make(int value) {
    co_await NextTurn{};
    co_return Tracked(value);
  }
  static Co<int> number(int value) {
    co_await NextTurn{};
    co_return value;
  }
  static Co<bool> is(bool answer) {
    co_await NextTurn{};
    co_return answer;
  }

  static int sum(const std::vector<Tracked>& values) {
    int total = 0;
    for (const Tracked& value : values) total += value.value();
    return total;
  }

  void TearDown() override { EXPECT_EQ(Tracked::live, 0) << "a value of the frame was destroyed twice, or never"; }
};

using Kinds = testing::Types<Small, Ours>;
TYPED_TEST_SUITE(CoroutineShapes, Kinds);

// The shapes are static functions of a template, so that both kinds run the same source.
template <typename Kind>
struct Shape : CoroutineShapes<Kind> {
  using Base = CoroutineShapes<Kind>;
  template <typename T>
  using Co = typename Base::template Co<T>;
  using Base::is;
  using Base::make;
  using Base::number;
  using Base::sum;

  // No declaration at the top level of the body: g++ 12.2 never runs it.
  static Co<int> await_in_if(bool answer) {
    if (!co_await is(answer)) co_return 1;
    co_return co_await number(2);
  }
  static Co<int> await_in_while(int& rounds) {
    while (co_await is(rounds < 3)) ++rounds;
    co_return rounds;
  }
  static Co<int> await_in_switch(int value) {
    switch (co_await number(value)) {
      case 1: co_return 10;
      default: co_return co_await number(20);
    }
  }
  static Co<int> await_in_both_operands(bool left, bool right) {
    if (co_await is(left) && co_await is(right)) co_return 2;
    if (co_await is(left) || co_await is(right)) co_return 1;
    co_return 0;
  }
  static Co<int> await_in_one_branch(bool take) {
    Tracked other(7);
    Tracked chosen = take ? co_await make(3) : other;
    co_return chosen.value() + other.value();
  }
  static Co<int> awaits_in_braces() {
    Pair pair{co_await make(1), co_await make(2)};
    co_return pair.first.value() * 10 + pair.second.value();
  }
  static Co<int> awaits_in_a_braced_list() {
    std::vector<Tracked> values{co_await make(1), co_await make(2), Tracked(co_await number(3))};
    co_return sum(values);
  }
  static Co<int> awaits_in_a_braced_argument() { co_return sum({co_await make(4), co_await make(5)}); }
  static Co<int> total(std::vector<Tracked> values, Tracked more) {
    co_await NextTurn{};
    co_return sum(values) + more.value();
  }
  static Co<int> braced_argument_of_an_awaited_call() {
    co_return co_await total({Tracked(1), Tracked(2)}, Tracked(3));
  }
  static Co<int> awaits_in_nested_arguments() {
    co_return co_await total({co_await make(co_await number(1))}, co_await make(co_await number(co_await number(2))));
  }
  static Co<int> await_in_a_statement_expression() {
    int value = __extension__({
      Tracked temporary = co_await make(5);
      temporary.value();
    });
    co_return value + __extension__({ co_await number(1); });
  }
  static Co<std::vector<int>> list() {
    co_await NextTurn{};
    co_return std::vector<int>{1, 2, 3};
  }
  static Co<int> await_in_a_range() {
    int result = 0;
    for (int value : co_await list()) result = result * 10 + co_await number(value);
    co_return result;
  }
  template <typename Call>
  static Co<int> apply(Call call, int value) {
    co_await NextTurn{};
    co_return call(value);
  }
  static Co<int> await_with_a_capturing_lambda() {
    Tracked captured(40);
    co_return co_await apply([captured](int value) { return captured.value() + value; }, co_await number(2));
  }
  static Co<int> structured_binding() {
    auto [first, second] = std::pair{co_await make(1), co_await make(2)};
    co_await NextTurn{};
    co_return first.value() * 10 + second.value();
  }
};

#define SANDGATE_SHAPE(name, expression, expected) \
  TYPED_TEST(CoroutineShapes, name) { EXPECT_EQ(TypeParam::run(Shape<TypeParam>::expression), expected); }

SANDGATE_SHAPE(AwaitInIfTaken, await_in_if(true), 2)
SANDGATE_SHAPE(AwaitInIfNotTaken, await_in_if(false), 1)
SANDGATE_SHAPE(AwaitInSwitch, await_in_switch(1), 10)
SANDGATE_SHAPE(AwaitInSwitchDefault, await_in_switch(2), 20)
SANDGATE_SHAPE(AwaitInBothOperands, await_in_both_operands(true, true), 2)
SANDGATE_SHAPE(AwaitInEitherOperand, await_in_both_operands(false, true), 1)
SANDGATE_SHAPE(AwaitInTakenBranch, await_in_one_branch(true), 10)
SANDGATE_SHAPE(AwaitInUntakenBranch, await_in_one_branch(false), 14)
SANDGATE_SHAPE(AwaitsInBraces, awaits_in_braces(), 12)
SANDGATE_SHAPE(AwaitsInABracedList, awaits_in_a_braced_list(), 6)
SANDGATE_SHAPE(AwaitsInABracedArgument, awaits_in_a_braced_argument(), 9)
SANDGATE_SHAPE(BracedArgumentOfAnAwaitedCall, braced_argument_of_an_awaited_call(), 6)
SANDGATE_SHAPE(AwaitsInNestedArguments, awaits_in_nested_arguments(), 3)
SANDGATE_SHAPE(AwaitInAStatementExpression, await_in_a_statement_expression(), 6)
SANDGATE_SHAPE(AwaitInARange, await_in_a_range(), 123)
SANDGATE_SHAPE(AwaitWithACapturingLambda, await_with_a_capturing_lambda(), 42)
SANDGATE_SHAPE(StructuredBinding, structured_binding(), 12)

TYPED_TEST(CoroutineShapes, AwaitInWhile) {
  int rounds = 0;
  EXPECT_EQ(TypeParam::run(Shape<TypeParam>::await_in_while(rounds)), 3);
}

SmallTask<int> fails() {
  Tracked local(1);
  co_await NextTurn{};
  throw std::runtime_error("expected");
}

SmallTask<int> catches() {
  std::string caught;
  try {
    Tracked local(2);
    co_await fails();
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  co_return caught == "expected" ? co_await CoroutineShapes<Small>::number(1) : 0;
}

TEST(SmallTask, ExceptionsPassThroughAwaits) {
  EXPECT_EQ(Small::run(catches()), 1);
  EXPECT_EQ(Tracked::live, 0);
}

SmallTask<int> suspends_with_locals() {
  Tracked local(1);
  Pair pair{local, Tracked(2)};
  co_await NextTurn{};
  co_return local.value() + pair.first.value();
}

TEST(SmallTask, DestroyedWhileSuspendedDestroysItsLocals) {
  {
    SmallTask<int> task = suspends_with_locals();
    task.start();
    EXPECT_FALSE(task.done());
    EXPECT_EQ(Tracked::live, 3);
    ready.clear();
  }
  EXPECT_EQ(Tracked::live, 0);
}

}  // namespace
