// SPDX-License-Identifier: Apache-2.0
//
// All stores of one SQLite file, which several processes may have open. Bounded as stores in memory are, but what goes
// first is what was written the longest ago: remembering each read would make a write of it. Values outlive the process
// and a crash of it; the last ones may be lost with the machine (synchronous=NORMAL). Blocking; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "capability/key_value/answer.h"
#include "platform/database.h"
#include "sandbox/instance_host.h"

namespace sandgate::capability {

class SqliteStore {
 public:
  // Of the tables. Another one is refused.
  static constexpr std::int64_t kSchemaVersion = 1;

  // Opens or makes the file. kDenied when it cannot be made, kUnsupported when another version wrote it, kInvalid when
  // it is something else.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path, std::size_t bytes_max);
  ~SqliteStore();
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  // Operations between begin() and commit() happen together or not at all. An error means that they did not: roll_back
  // then. begin(kWrite) waits while another process writes, at most the busy time of platform::Database.
  enum class Access : bool { kRead, kWrite };
  Status begin(Access access);
  Status commit();
  void roll_back();

  // Any operation but kOpen, on the store of this name. What the guest did wrong is an Answer, and nothing changed.
  Result<Answer> answer(std::string_view name, const sandbox::KeyValueRequest& request);
  static bool writes(sandbox::KeyValueOperation operation);

 private:
  struct Statements;
  SqliteStore(platform::Database database, std::size_t bytes_max);

  Status choose_journal();
  Status prepare();
  Result<std::int64_t> store_number(std::string_view name);
  Result<std::optional<std::string>> read(std::int64_t store, std::string_view key);
  Status write(std::int64_t store, std::string_view key, std::string_view value);
  // What the store's entries cost afterwards.
  Result<std::int64_t> change(std::int64_t store, std::int64_t bytes);
  Result<std::int64_t> remove(std::int64_t store, std::string_view key);
  Status make_room(std::int64_t store, std::int64_t bytes);
  bool too_large(const sandbox::KeyValueRequest& request) const;

  Result<Answer> get_all(std::int64_t store, const sandbox::KeyValueRequest& request);
  Result<Answer> set_all(std::int64_t store, const sandbox::KeyValueRequest& request);
  Result<Answer> remove_all(std::int64_t store, const sandbox::KeyValueRequest& request);
  Result<Answer> exists(std::int64_t store, const sandbox::KeyValueRequest& request);
  Result<Answer> list_keys(std::int64_t store, const sandbox::KeyValueRequest& request);
  Result<Answer> increment(std::int64_t store, const sandbox::KeyValueRequest& request);
  Result<Answer> compare_and_swap(std::int64_t store, const sandbox::KeyValueRequest& request);

  platform::Database database_;
  const std::size_t bytes_max_;
  std::unique_ptr<Statements> statements_;  // end before the database
};

}  // namespace sandgate::capability
