// SPDX-License-Identifier: Apache-2.0
#include "base/cancellation.h"

#include <utility>

namespace sandgate {

CancelHook::CancelHook(Cancellation& cancellation, Stop stop, void* owner)
    : cancellation_(cancellation), stop_(stop), owner_(owner), next_(cancellation.hooks_) {
  if (next_ != nullptr) next_->previous_ = this;
  cancellation.hooks_ = this;
}

CancelHook::~CancelHook() {
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else if (cancellation_.hooks_ == this) {
    cancellation_.hooks_ = next_;
  }
  if (next_ != nullptr) next_->previous_ = previous_;
}

void Cancellation::cancel(ErrorKind kind, std::string_view reason) {
  if (cancelled_) return;
  cancelled_ = true;
  kind_ = kind;
  reason_ = reason;
  // A stop may end coroutines at once and so unregister hooks, its own included: always take the first that is left.
  while (hooks_ != nullptr) {
    CancelHook* hook = hooks_;
    hooks_ = hook->next_;
    if (hooks_ != nullptr) hooks_->previous_ = nullptr;
    hook->next_ = hook->previous_ = nullptr;
    hook->stop_(hook->owner_);
  }
}

}  // namespace sandgate
