// SPDX-License-Identifier: Apache-2.0
#include "base/cancellation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace sandgate {
namespace {

struct Waiter {
  std::string* notes;
  char mark;
  std::unique_ptr<CancelHook> hook;
  Waiter* takes_along = nullptr;  // whose hook goes when this one is stopped

  Waiter(Cancellation& cancellation, std::string& to, char c) : notes(&to), mark(c) {
    hook = std::make_unique<CancelHook>(cancellation, &Waiter::stop, this);
  }
  static void stop(void* owner) {
    auto* waiter = static_cast<Waiter*>(owner);
    *waiter->notes += waiter->mark;
    if (waiter->takes_along != nullptr) waiter->takes_along->hook.reset();
  }
};

std::string sorted(std::string text) {
  std::sort(text.begin(), text.end());
  return text;
}

TEST(Cancellation, StopsEveryWaiterOnce) {
  Cancellation cancellation;
  std::string notes;
  Waiter a(cancellation, notes, 'a');
  Waiter b(cancellation, notes, 'b');
  EXPECT_FALSE(cancellation.cancelled());
  cancellation.cancel(ErrorKind::kTimedOut, "too late");
  EXPECT_EQ(sorted(notes), "ab");
  EXPECT_TRUE(cancellation.cancelled());
  cancellation.cancel(ErrorKind::kDisconnected, "left");
  EXPECT_EQ(notes.size(), 2U);
  EXPECT_EQ(cancellation.kind(), ErrorKind::kTimedOut);
  EXPECT_EQ(cancellation.reason(), "too late");
}

TEST(Cancellation, StopsNoWaiterThatHasGone) {
  Cancellation cancellation;
  std::string notes;
  Waiter a(cancellation, notes, 'a');
  Waiter b(cancellation, notes, 'b');
  Waiter c(cancellation, notes, 'c');
  b.hook.reset();
  cancellation.cancel(ErrorKind::kDisconnected, "left");
  EXPECT_EQ(sorted(notes), "ac");
}

// Stopping one wait may end the frame of another.
TEST(Cancellation, LetsAStopTakeOtherHooksAlong) {
  for (bool first_takes : {false, true}) {
    Cancellation cancellation;
    std::string notes;
    Waiter a(cancellation, notes, 'a');
    Waiter b(cancellation, notes, 'b');
    (first_takes ? a : b).takes_along = first_takes ? &b : &a;
    (first_takes ? b : a).takes_along = first_takes ? &a : &b;
    cancellation.cancel(ErrorKind::kDisconnected, "left");
    EXPECT_EQ(notes.size(), 1U);
  }
}

TEST(Cancellation, LetsAStopEndItsOwnHook) {
  Cancellation cancellation;
  std::string notes;
  Waiter a(cancellation, notes, 'a');
  Waiter b(cancellation, notes, 'b');
  a.takes_along = &a;
  b.takes_along = &b;
  cancellation.cancel(ErrorKind::kOverloaded, "draining");
  EXPECT_EQ(sorted(notes), "ab");
}

}  // namespace
}  // namespace sandgate
