// SPDX-License-Identifier: Apache-2.0
#include "gateway/waiting_room.h"

#include <algorithm>
#include <utility>

namespace sandgate::gateway {

// Lives in the frame of wait().
struct WaitingRoom::Waiter {
  explicit Waiter(Loop& loop) : timer(loop, &Waiter::timed_out, this) {}

  void end(Outcome how) {
    if (ended) return;
    ended = true;
    outcome = how;
    woken.set();
  }
  static void timed_out(void* owner) { static_cast<Waiter*>(owner)->end(Outcome::kTimedOut); }
  static void cancelled(void* owner) { static_cast<Waiter*>(owner)->end(Outcome::kCancelled); }

  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  bool linked = false;
  bool ended = false;
  Nanoseconds since{0};
  Outcome outcome = Outcome::kTimedOut;
  Event woken;
  Timer timer;
};

WaitingRoom::WaitingRoom(std::span<Loop* const> loops, Host& host, std::size_t servers, std::size_t waiting_max)
    : loops_(loops.begin(), loops.end()), host_(host), queues_(loops.size()), promised_(servers), max_(waiting_max) {}

void WaitingRoom::told(Queue& queue) {
  queue.oldest_ns.store(queue.first == nullptr ? 0 : queue.first->since.count(), std::memory_order_seq_cst);
}

void WaitingRoom::link(Queue& queue, Waiter& waiter, Place place) {
  waiter.linked = true;
  if (place == Place::kBack) {
    waiter.previous = queue.last;
    (queue.last != nullptr ? queue.last->next : queue.first) = &waiter;
    queue.last = &waiter;
  } else {
    waiter.next = queue.first;
    (queue.first != nullptr ? queue.first->previous : queue.last) = &waiter;
    queue.first = &waiter;
  }
  told(queue);
}

void WaitingRoom::unlink(Queue& queue, Waiter& waiter) {
  if (!std::exchange(waiter.linked, false)) return;
  (waiter.previous != nullptr ? waiter.previous->next : queue.first) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : queue.last) = waiter.previous;
  waiter.previous = waiter.next = nullptr;
  told(queue);
}

Task<WaitingRoom::Outcome> WaitingRoom::wait(Loop& loop, Cancellation& exchange_over, Nanoseconds deadline,
                                             Place place) {
  if (exchange_over.cancelled()) co_return Outcome::kCancelled;
  Nanoseconds left = deadline - loop.now();
  if (left.count() <= 0) co_return Outcome::kTimedOut;
  // One who was woken has been counted in before.
  if (waiting_.fetch_add(1, std::memory_order_seq_cst) >= max_ && place == Place::kBack) {
    waiting_.fetch_sub(1, std::memory_order_seq_cst);
    co_return Outcome::kFull;
  }
  Queue& queue = queues_[loop.index()];
  Waiter waiter(loop);
  waiter.since = loop.now();
  link(queue, waiter, place);
  CancelHook hook(exchange_over, &Waiter::cancelled, &waiter);
  waiter.timer.arm(std::chrono::ceil<Milliseconds>(left));
  ask_others(loop);
  // What became free before we stood in the queue told nobody.
  if (queue.first == &waiter && host_.has_room(loop)) waiter.end(Outcome::kRoom);
  co_await waiter.woken.wait();
  unlink(queue, waiter);
  waiting_.fetch_sub(1, std::memory_order_seq_cst);
  co_return waiter.outcome;
}

// Whoever keeps a connection without using it gives it up. Whatever is freed after this finds us in the queue.
void WaitingRoom::ask_others(const Loop& loop) {
  for (Loop* other : loops_) {
    if (other == &loop) continue;
    other->post([self = shared_from_this(), other] {
      // While somebody waits the host is there.
      if (!self->empty()) self->host_.give_up_idle(*other);
    });
  }
}

std::size_t WaitingRoom::longest_waiting() const {
  std::size_t longest = queues_.size();
  std::int64_t oldest = 0;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    std::int64_t since = queues_[i].oldest_ns.load(std::memory_order_seq_cst);
    if (since == 0 || (oldest != 0 && since >= oldest)) continue;
    longest = i;
    oldest = since;
  }
  return longest;
}

bool WaitingRoom::wanted_elsewhere(const Loop& loop) const {
  std::size_t longest = longest_waiting();
  if (longest == queues_.size() || longest == loop.index()) return false;
  std::int64_t mine = queues_[loop.index()].oldest_ns.load(std::memory_order_relaxed);
  return mine == 0 || mine - queues_[longest].oldest_ns.load(std::memory_order_relaxed) > kUnfair.count();
}

void WaitingRoom::wake(Loop& loop, std::size_t server) {
  if (empty()) return;
  std::size_t target = wanted_elsewhere(loop) ? longest_waiting() : loop.index();
  if (target == queues_.size()) return;
  promised_[server].fetch_add(1, std::memory_order_relaxed);
  // Later: whoever frees a connection is in the middle of ending an exchange.
  loops_[target]->post([self = shared_from_this(), target, server] { self->wake_first(target, server); });
}

// Each goes to the loop where somebody has waited the longest; where nobody is left, on to the next one.
void WaitingRoom::wake_many(std::size_t server, std::size_t room) {
  std::size_t longest = longest_waiting();
  if (longest == queues_.size()) return;
  for (std::size_t i = std::min(room, waiting()); i > 0; --i) wake(*loops_[longest], server);
}

void WaitingRoom::wake_first(std::size_t loop, std::size_t server) {
  promised_[server].fetch_sub(1, std::memory_order_relaxed);
  Queue& queue = queues_[loop];
  Waiter* waiter = queue.first;
  while (waiter != nullptr && waiter->ended) waiter = waiter->next;
  if (waiter != nullptr) {
    unlink(queue, *waiter);
    waiter->end(Outcome::kRoom);
  } else if (longest_waiting() != queues_.size()) {
    // Nobody is left here.
    wake(*loops_[loop], server);
  }
}

}  // namespace sandgate::gateway
