// SPDX-License-Identifier: Apache-2.0
#include "sandbox/run_queue.h"

#include <algorithm>
#include <coroutine>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "sandbox/engine_error.h"
#include "sandbox/ticker.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {
namespace {

using Outcome = std::expected<void, GuestFailure>;

class RunQueueImpl;

// A call that did not end at its first poll. Lives in the frame of the coroutine that waits for it.
struct Call {
  enum class State : unsigned char { kYielded, kWoken, kWaiting, kRunning, kEnded };

  Call(RunQueueImpl& run_queue, Loop& loop, Instance& of, Nanoseconds deadline_at);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  bool ready() const { return state == State::kYielded || state == State::kWoken; }
  // To be ended rather than polled.
  bool over(Nanoseconds now) const { return cancelled || now >= deadline; }

  RunQueueImpl* queue;
  Instance& instance;
  Nanoseconds deadline;
  Nanoseconds consumed{0};
  Timer timer;  // while it waits
  std::coroutine_handle<> waiter;
  Outcome outcome;
  Call* previous = nullptr;  // in the list of ready calls
  Call* next = nullptr;
  State state = State::kRunning;
  bool cancelled = false;
};

class RunQueueImpl final : public RunQueue, public WakeTarget {
 public:
  RunQueueImpl(Engine& engine, Loop& loop) : engine_(engine), loop_(loop), runner_(*engine.ticker()) {
    engine_.attach_loop(loop);
    engine_.set_wake_target(loop.index(), this);
  }
  ~RunQueueImpl() override;

  Task<Outcome> run(Instance& instance, Cancellation& cancellation) override;
  std::size_t suspended() const override { return suspended_; }
  std::uint64_t new_token() override {
    return (std::uint64_t{loop_.index()} << Engine::kTokenIndexShift) |
           (++tokens_ & ((std::uint64_t{1} << Engine::kTokenIndexShift) - 1));
  }
  Engine& engine() const override { return engine_; }
  void wake(std::uint64_t token) override;

  // The suspended call leaves whatever list it is in.
  void forget(Call& call);
  void timed_out(Call& call) { make_ready(call, Call::State::kWoken); }
  void cancel(Call& call);

 private:
  Task<Outcome> finish(Instance& instance, Cancellation& cancellation, Nanoseconds deadline, sg_poll polled);
  sg_poll poll(Instance& instance, Outcome& outcome);
  void suspend(Call& call, sg_poll polled);
  void make_ready(Call& call, Call::State state);
  void unlink(Call& call);
  void schedule_turn();
  void turn();
  Call* take_next();
  bool resume(Call& call);
  void end(Call& call);

  Engine& engine_;
  Loop& loop_;
  Ticker::Runner runner_;
  Call* first_ready_ = nullptr;  // the oldest first
  Call* last_ready_ = nullptr;
  std::unordered_map<std::uint64_t, Call*> waiting_;  // by token
  std::size_t suspended_ = 0;
  std::uint64_t tokens_ = 0;
  bool turn_scheduled_ = false;
};

Call::Call(RunQueueImpl& run_queue, Loop& loop, Instance& of, Nanoseconds deadline_at)
    : queue(&run_queue),
      instance(of),
      deadline(deadline_at),
      timer(loop, [](void* owner) { static_cast<Call*>(owner)->queue->timed_out(*static_cast<Call*>(owner)); }, this) {}

Call::~Call() {
  if (queue != nullptr) queue->forget(*this);
}

// Suspends the coroutine of `finish` until the call has ended.
struct CallEnd {
  Call& call;
  bool await_ready() const noexcept { return call.state == Call::State::kEnded; }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept { call.waiter = waiter; }
  void await_resume() const noexcept {}
};

RunQueueImpl::~RunQueueImpl() {
  if (engine_.wake_target(loop_.index()) == this) engine_.set_wake_target(loop_.index(), nullptr);
  // Frames that nobody resumes any more may still be destroyed.
  for (Call* call = first_ready_; call != nullptr; call = call->next) call->queue = nullptr;
  for (auto& [token, call] : waiting_) call->queue = nullptr;
}

sg_poll RunQueueImpl::poll(Instance& instance, Outcome& outcome) {
  sg_error* error = nullptr;
  runner_.enter();
  sg_poll polled = ::sg_instance_poll(instance.handle(), &error);
  runner_.leave();
  if (polled == SG_POLL_FAILED) outcome = std::unexpected(take_failure(error));
  return polled;
}

Task<Outcome> RunQueueImpl::run(Instance& instance, Cancellation& cancellation) {
  Outcome outcome;
  if (cancellation.cancelled())
    co_return std::unexpected(GuestFailure{FailureKind::kCancelled, "cancelled before the call"});
  Nanoseconds deadline = loop_.now() + instance.wall_budget();
  sg_poll polled = poll(instance, outcome);
  if (polled == SG_POLL_DONE || polled == SG_POLL_FAILED) co_return outcome;
  Outcome later = co_await finish(instance, cancellation, deadline, polled);
  co_return later;
}

// Apart from run(), so that calls which end at once do not pay for a large frame.
Task<Outcome> RunQueueImpl::finish(Instance& instance, Cancellation& cancellation, Nanoseconds deadline,
                                   sg_poll polled) {
  Call call(*this, loop_, instance, deadline);
  CancelHook hook(
      cancellation, [](void* owner) { static_cast<Call*>(owner)->queue->cancel(*static_cast<Call*>(owner)); }, &call);
  ++suspended_;
  call.cancelled = cancellation.cancelled();
  suspend(call, polled);
  co_await CallEnd{call};
  co_return std::move(call.outcome);
}

// After a poll that did not end the call.
void RunQueueImpl::suspend(Call& call, sg_poll polled) {
  if (polled == SG_POLL_YIELDED || call.cancelled) return make_ready(call, Call::State::kYielded);
  call.state = Call::State::kWaiting;
  waiting_.insert_or_assign(call.instance.token(), &call);
  Nanoseconds left = std::max(call.deadline - loop_.now(), Nanoseconds(0));
  call.timer.arm(std::chrono::ceil<Milliseconds>(left));
}

void RunQueueImpl::make_ready(Call& call, Call::State state) {
  if (call.state == Call::State::kWaiting) {
    waiting_.erase(call.instance.token());
    call.timer.disarm();
  }
  call.state = state;
  call.consumed = call.instance.busy();
  call.previous = last_ready_;
  call.next = nullptr;
  (last_ready_ != nullptr ? last_ready_->next : first_ready_) = &call;
  last_ready_ = &call;
  schedule_turn();
}

void RunQueueImpl::unlink(Call& call) {
  (call.previous != nullptr ? call.previous->next : first_ready_) = call.next;
  (call.next != nullptr ? call.next->previous : last_ready_) = call.previous;
  call.previous = call.next = nullptr;
}

void RunQueueImpl::forget(Call& call) {
  if (call.state == Call::State::kEnded) return;
  if (call.state == Call::State::kWaiting) waiting_.erase(call.instance.token());
  if (call.ready()) unlink(call);
  call.state = Call::State::kEnded;
  --suspended_;
}

// Late wakes, for calls that have ended, find nothing.
void RunQueueImpl::wake(std::uint64_t token) {
  auto found = waiting_.find(token);
  if (found != waiting_.end()) make_ready(*found->second, Call::State::kWoken);
}

// Whoever waits is resumed from the loop's turn: cancel() may be called from anywhere.
void RunQueueImpl::cancel(Call& call) {
  call.cancelled = true;
  if (call.state == Call::State::kWaiting) make_ready(call, Call::State::kWoken);
}

void RunQueueImpl::schedule_turn() {
  if (std::exchange(turn_scheduled_, true)) return;
  loop_.next_turn([](void* owner) { static_cast<RunQueueImpl*>(owner)->turn(); }, this);
}

void RunQueueImpl::turn() {
  turn_scheduled_ = false;
  for (unsigned resumed = 0; resumed < kWokenPerTurnMax; ++resumed) {
    Call* call = take_next();
    if (call == nullptr) return;
    if (resume(*call)) break;
  }
  if (first_ready_ != nullptr) schedule_turn();
}

// Whoever is over goes first, because ending it costs nothing; then who has used least, and among equals who came
// first. A call that others overtake again and again still ends at its deadline. A scan: the list is at most as long as
// there are instances, and each step runs a guest for a millisecond.
Call* RunQueueImpl::take_next() {
  Nanoseconds now = loop_.now();
  Call* chosen = nullptr;
  for (Call* call = first_ready_; call != nullptr; call = call->next) {
    if (call->over(now)) {
      chosen = call;
      break;
    }
    if (chosen == nullptr || call->consumed < chosen->consumed) chosen = call;
  }
  if (chosen != nullptr) unlink(*chosen);
  return chosen;
}

// Runs one slice of the call. True when a whole slice may have been used: then it is the turn of I/O.
bool RunQueueImpl::resume(Call& call) {
  bool yielded_before = std::exchange(call.state, Call::State::kRunning) == Call::State::kYielded;
  if (!call.cancelled && loop_.now() < call.deadline) {
    sg_poll polled = poll(call.instance, call.outcome);
    if (polled == SG_POLL_YIELDED || polled == SG_POLL_WAITING) {
      suspend(call, polled);
      return yielded_before || polled == SG_POLL_YIELDED;
    }
  } else if (call.cancelled) {
    call.outcome = std::unexpected(GuestFailure{FailureKind::kCancelled, "cancelled during the call"});
    yielded_before = false;
  } else {
    call.outcome = std::unexpected(GuestFailure{FailureKind::kDeadline, "the call used up its wall time"});
    yielded_before = false;
  }
  end(call);
  return yielded_before;
}

void RunQueueImpl::end(Call& call) {
  call.state = Call::State::kEnded;
  --suspended_;
  call.waiter.resume();  // `call` is gone after this
}

}  // namespace

std::unique_ptr<RunQueue> RunQueue::create(Engine& engine, Loop& loop) {
  SANDGATE_CHECK(engine.ticker() != nullptr);
  return std::make_unique<RunQueueImpl>(engine, loop);
}

}  // namespace sandgate::sandbox
