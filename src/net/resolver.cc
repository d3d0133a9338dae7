// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace sandgate::net {

// Outlives the resolver when the system does not come back from a look-up.
struct Resolver::State {
  struct Question {
    std::string host;
    std::uint16_t port;
    Answer answer;
  };

  explicit State(LookUp the_look_up) : look_up(std::move(the_look_up)) {}

  LookUp look_up;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Question> questions;  // this and the rest are guarded
  std::thread thread;
  bool busy = false;
  bool ending = false;
};

Resolver::Resolver(LookUp look_up) : state_(std::make_shared<State>(std::move(look_up))) {}

Resolver::~Resolver() {
  std::thread thread;
  bool busy = false;
  {
    std::lock_guard lock(state_->mutex);
    state_->ending = true;
    busy = state_->busy;
    thread = std::move(state_->thread);
    state_->changed.notify_all();
  }
  if (!thread.joinable()) return;
  // A look-up may take half a minute; nobody waits for it to end.
  if (busy) {
    thread.detach();
  } else {
    thread.join();
  }
}

bool Resolver::ask(std::string host, std::uint16_t port, Answer answer) {
  std::lock_guard lock(state_->mutex);
  if (state_->questions.size() >= kQuestionsMax) return false;
  state_->questions.push_back({std::move(host), port, std::move(answer)});
  if (!state_->thread.joinable()) {
    state_->thread = std::thread([state = state_] {
      ::pthread_setname_np(::pthread_self(), "resolver");
      run(state);
    });
  }
  state_->changed.notify_all();
  return true;
}

void Resolver::run(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->changed.wait(lock, [&] { return state->ending || !state->questions.empty(); });
    if (state->ending) return;
    State::Question question = std::move(state->questions.front());
    state->questions.pop_front();
    state->busy = true;
    lock.unlock();
    Result<std::vector<Address>> addresses = state->look_up(question.host, question.port);
    lock.lock();
    state->busy = false;
    // Under the lock: once the resolver has ended the loops may end too.
    if (!state->ending) question.answer(std::move(addresses));
  }
}

}  // namespace sandgate::net
