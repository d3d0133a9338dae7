// SPDX-License-Identifier: Apache-2.0
#include "net/poller.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

namespace sandgate::net {
namespace {

// Both directions at once: a later EPOLL_CTL_MOD would be a system call per change of mind.
constexpr std::uint32_t kEdges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

epoll_event event_of(Poller::Watcher& watcher) {
  epoll_event event{};
  event.events = kEdges;
  event.data.ptr = &watcher;
  return event;
}

}  // namespace

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SANDGATE_CHECK(epoll_ && wake_);
  // Nobody reads the counter: edge-triggered, every write tells. Its watcher is null, as that of an unwatched event.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  SANDGATE_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

bool Poller::watch(int descriptor, Watcher& watcher) {
  epoll_event event = event_of(watcher);
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::tell_again(int descriptor, Watcher& watcher) {
  epoll_event event = event_of(watcher);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::unwatch(int descriptor, const Watcher& watcher) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
  for (std::size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &watcher) events_[i].data.ptr = nullptr;
  }
}

void Poller::poll(int timeout_ms) {
  int found = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  // Interrupted by a signal: the loop asks again.
  count_ = found > 0 ? static_cast<std::size_t>(found) : 0;
  for (next_ = 0; next_ < count_;) {
    const epoll_event event = events_[next_++];
    if (event.data.ptr != nullptr) static_cast<Watcher*>(event.data.ptr)->ready(event.events);
  }
  next_ = count_ = 0;
}

void Poller::wake() {
  std::uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

}  // namespace sandgate::net
