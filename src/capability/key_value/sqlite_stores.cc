// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/sqlite_stores.h"

#include <algorithm>
#include <utility>

#include "platform/log.h"
#include "sandbox/thread.h"

namespace sandgate::capability {

Result<std::unique_ptr<SqliteStores>> SqliteStores::create(const std::string& path, const StoreLimits& limits) {
  Result<std::unique_ptr<SqliteStore>> store = SqliteStore::open(path, limits.bytes_max);
  if (!store) return fail(std::move(store.error()));
  return std::unique_ptr<SqliteStores>(new SqliteStores(std::move(*store), limits));
}

SqliteStores::SqliteStores(std::unique_ptr<SqliteStore> store, const StoreLimits& limits)
    : names_(limits.stores_max),
      store_(std::move(store)),
      thread_(sandbox::start_thread("state", [this] { work(); })) {}

SqliteStores::~SqliteStores() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SqliteStores::serve(unsigned, const sandbox::KeyValueRequest& request, Done done) {
  std::optional<std::string> name = names_.name(request.bucket);
  if (!name) {
    Answer answer;
    answer.status = sandbox::KeyValueStatus::kNoSuchStore;
    return done(std::move(answer));
  }
  Waiting waiting{std::move(*name), OwnedRequest(request), std::move(done)};
  std::size_t bytes = waiting.request.bytes();
  {
    std::lock_guard lock(mutex_);
    // One that is large alone may still come when nobody else waits.
    bool room = waiting_.empty() || (waiting_.size() < kWaitingMax && waiting_bytes_ + bytes <= kWaitingBytesMax);
    if (room) {
      waiting_bytes_ += bytes;
      waiting_.push_back(std::move(waiting));
      changed_.notify_one();
      return;
    }
  }
  waiting.done(refusal(kTooBusy));
}

std::vector<SqliteStores::Waiting> SqliteStores::take() {
  std::vector<Waiting> together;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
  if (ending_) return together;
  while (!waiting_.empty() && together.size() < kTogetherMax) {
    waiting_bytes_ -= waiting_.front().request.bytes();
    together.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return together;
}

void SqliteStores::work() {
  for (;;) {
    std::vector<Waiting> together = take();
    if (together.empty()) return;
    run(together);
  }
}

void SqliteStores::run(std::vector<Waiting>& together) {
  Result<std::vector<Answer>> all = answers(together);
  if (all) {
    if (std::exchange(failing_, false)) log::info("state: the SQLite file can be used again");
    for (std::size_t i = 0; i < together.size(); ++i) together[i].done(std::move((*all)[i]));
    return;
  }
  store_->roll_back();
  if (!std::exchange(failing_, true)) log::error("state: the SQLite file cannot be used: {}", all.error().cause);
  for (Waiting& waiting : together) waiting.done(refusal(kUnreachable, AnswerSource::kUnavailable));
}

Result<std::vector<Answer>> SqliteStores::answers(const std::vector<Waiting>& together) {
  bool writes = std::ranges::any_of(
      together, [](const Waiting& waiting) { return SqliteStore::writes(waiting.request.view().operation); });
  Status step = store_->begin(writes ? SqliteStore::Access::kWrite : SqliteStore::Access::kRead);
  if (!step) return fail(std::move(step.error()));
  std::vector<Answer> all;
  for (const Waiting& waiting : together) {
    Result<Answer> answer = store_->answer(waiting.name, waiting.request.view());
    if (!answer) return fail(std::move(answer.error()));
    all.push_back(std::move(*answer));
  }
  step = store_->commit();
  if (!step) return fail(std::move(step.error()));
  return all;
}

}  // namespace sandgate::capability
