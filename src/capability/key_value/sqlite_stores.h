// SPDX-License-Identifier: Apache-2.0
//
// Key-value stores in one SQLite file, on a thread of its own: loops hand operations over and never wait for a disk.
// What came while the last transaction ran is one transaction together, so many small writes cost one commit; answers
// are given once it is committed.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "capability/key_value/owned_request.h"
#include "capability/key_value/sqlite_store.h"
#include "capability/key_value/store_names.h"
#include "capability/key_value/stores.h"

namespace sandgate::capability {

class SqliteStores final : public Stores {
 public:
  // Operations that wait for the thread, and their texts together: half a second of work; the next ones are refused.
  static constexpr std::size_t kWaitingMax = 4096;
  static constexpr std::size_t kWaitingBytesMax = std::size_t{64} << 20;
  // Operations of one transaction: who came first should not wait long for the last.
  static constexpr std::size_t kTogetherMax = 128;

  // Blocking. Errors as SqliteStore::open.
  static Result<std::unique_ptr<SqliteStores>> create(const std::string& path, const StoreLimits& limits);
  // Ends with the transaction that runs; who waits behind it is told so.
  ~SqliteStores() override;

  std::optional<std::uint64_t> open(std::string_view name) override { return names_.number(name); }
  void serve(unsigned loop, const sandbox::KeyValueRequest& request, Done done) override;

 private:
  struct Waiting {
    std::string name;
    OwnedRequest request;
    Done done;
  };
  SqliteStores(std::unique_ptr<SqliteStore> store, const StoreLimits& limits);

  void work();
  std::vector<Waiting> take();
  void run(std::vector<Waiting>& together);
  Result<std::vector<Answer>> answers(const std::vector<Waiting>& together);

  StoreNames names_;
  const std::unique_ptr<SqliteStore> store_;  // the thread's
  bool failing_ = false;                      // the thread's; said once
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool ending_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace sandgate::capability
