// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/sqlite_store.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "capability/key_value/decimal.h"
#include "capability/key_value/memory_store.h"
#include "platform/descriptor.h"

namespace sandgate::capability {
namespace {

using platform::Database;
using platform::Statement;
using sandbox::KeyValueOperation;
using sandbox::KeyValueReply;
using sandbox::KeyValueRequest;

// "sgkv": so that a file of another program is not taken for ours.
constexpr std::int64_t kApplicationId = 0x73676b76;

// As long as the busy time of platform::Database.
constexpr int kAttemptsMax = 100;
constexpr Milliseconds kBetweenAttempts{20};

// `changes` counts the writes of a store: the order in which keys came (serial) and were last written.
constexpr const char* kSchema = R"(
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS store (
  id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, bytes INTEGER NOT NULL, changes INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS entry (
  store INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, serial INTEGER NOT NULL, written INTEGER NOT NULL,
  PRIMARY KEY (store, key)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS entry_serial ON entry (store, serial);
CREATE INDEX IF NOT EXISTS entry_written ON entry (store, written);
PRAGMA application_id = 1936157558;
PRAGMA user_version = 1;
COMMIT;
)";
static_assert(kApplicationId == 1936157558);

std::int64_t cost(std::string_view key, std::int64_t value_bytes) {
  return static_cast<std::int64_t>(MemoryStore::kEntryBytes + key.size()) + value_bytes;
}

}  // namespace

struct SqliteStore::Statements {
  Statement find_store;
  Statement add_store;
  Statement get;
  Statement size;
  Statement put;
  Statement count;
  Statement change;
  Statement remove;
  Statement oldest;
  Statement list;
};

SqliteStore::SqliteStore(Database database, std::size_t bytes_max)
    : database_(std::move(database)), bytes_max_(bytes_max) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, std::size_t bytes_max) {
  // SQLite would make it as the umask says; the files beside it get the modes of this one.
  platform::Descriptor created(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  created.reset();
  Result<Database> database = Database::open(path, Database::IfMissing::kCreate);
  if (!database)
    return fail(ErrorKind::kDenied, fmt::format("the state file {} cannot be opened", path), database.error().cause);
  // In this order: another process may be making the tables, and the numbers come together with them.
  Result<std::int64_t> tables = database->ask("SELECT count(*) FROM sqlite_master");
  Result<std::int64_t> application = database->ask("PRAGMA application_id");
  Result<std::int64_t> version = database->ask("PRAGMA user_version");
  if (!application || !version || !tables)
    return fail(ErrorKind::kInvalid, fmt::format("the state file {} is no SQLite database", path),
                tables ? "" : tables.error().cause);
  if (*tables != 0 && *application != kApplicationId)
    return fail(ErrorKind::kInvalid, fmt::format("{} is a database of another program; name another file", path));
  if (*tables != 0 && *version != kSchemaVersion)
    return fail(ErrorKind::kUnsupported, fmt::format("the state file {} has version {}, this program writes {}", path,
                                                     *version, kSchemaVersion));
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(*database), bytes_max));
  if (Status made = store->prepare(); !made)
    return fail(ErrorKind::kDenied, fmt::format("the state file {} cannot be written", path), made.error().cause);
  return store;
}

// SQLite does not wait for others while it changes the kind of journal, which each new file does once: of several
// processes that start together, all but one are told that it is busy.
Status SqliteStore::choose_journal() {
  for (int attempt = 1;; ++attempt) {
    // Readers do not wait for the writer; a commit is one write and, now and then, one sync.
    Result<std::int64_t> journal = database_.ask("PRAGMA journal_mode = WAL");
    if (journal) return {};
    if (attempt == kAttemptsMax) return fail(std::move(journal.error()));
    std::this_thread::sleep_for(kBetweenAttempts);
  }
}

Status SqliteStore::prepare() {
  if (Status chosen = choose_journal(); !chosen) return chosen;
  if (Status set = database_.run("PRAGMA synchronous = NORMAL"); !set) return set;
  if (Status made = database_.run(kSchema); !made) return made;
  constexpr std::string_view kPutEntry =
      "INSERT INTO entry (store, key, value, serial, written) VALUES (?1, ?2, ?3, ?4, ?4) "
      "ON CONFLICT (store, key) DO UPDATE SET value = excluded.value, written = excluded.written";
  constexpr std::string_view kSql[] = {
      "SELECT id FROM store WHERE name = ?1",
      "INSERT INTO store (name, bytes, changes) VALUES (?1, 0, 0) RETURNING id",
      "SELECT value FROM entry WHERE store = ?1 AND key = ?2",
      "SELECT length(value), serial FROM entry WHERE store = ?1 AND key = ?2",
      kPutEntry,
      "UPDATE store SET bytes = bytes + ?2, changes = changes + 1 WHERE id = ?1 RETURNING bytes, changes",
      "UPDATE store SET bytes = bytes + ?2 WHERE id = ?1 RETURNING bytes",
      "DELETE FROM entry WHERE store = ?1 AND key = ?2 RETURNING length(value)",
      "SELECT key FROM entry WHERE store = ?1 ORDER BY written LIMIT 1",
      "SELECT key, serial FROM entry WHERE store = ?1 AND serial > ?2 ORDER BY serial LIMIT ?3",
  };
  std::vector<Statement> prepared;
  for (std::string_view sql : kSql) {
    Result<Statement> statement = database_.prepare(sql);
    if (!statement) return fail(std::move(statement.error()));
    prepared.push_back(std::move(*statement));
  }
  auto next = prepared.begin();
  statements_.reset(new Statements{std::move(next[0]), std::move(next[1]), std::move(next[2]), std::move(next[3]),
                                   std::move(next[4]), std::move(next[5]), std::move(next[6]), std::move(next[7]),
                                   std::move(next[8]), std::move(next[9])});
  return {};
}

Status SqliteStore::begin(Access access) {
  return database_.run(access == Access::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}
Status SqliteStore::commit() { return database_.run("COMMIT"); }
void SqliteStore::roll_back() { static_cast<void>(database_.run("ROLLBACK")); }

bool SqliteStore::writes(KeyValueOperation operation) {
  switch (operation) {
    case KeyValueOperation::kGet:
    case KeyValueOperation::kGetMany:
    case KeyValueOperation::kExists:
    case KeyValueOperation::kListKeys: return false;
    default: return true;
  }
}

// 0 when there is none yet and nothing is written.
Result<std::int64_t> SqliteStore::store_number(std::string_view name) {
  Result<bool> row = statements_->find_store.reset().bind_bytes(1, name).step();
  if (!row) return fail(std::move(row.error()));
  std::int64_t number = *row ? statements_->find_store.number(0) : 0;
  statements_->find_store.reset();
  return number;
}

Result<Answer> SqliteStore::answer(std::string_view name, const KeyValueRequest& request) {
  Result<std::int64_t> found = store_number(name);
  if (!found) return fail(std::move(found.error()));
  std::int64_t store = *found;
  if (store == 0 && writes(request.operation)) {
    Result<bool> added = statements_->add_store.reset().bind_bytes(1, name).step();
    if (!added) return fail(std::move(added.error()));
    store = statements_->add_store.number(0);
    statements_->add_store.reset();
  }
  switch (request.operation) {
    case KeyValueOperation::kOpen: break;
    case KeyValueOperation::kGet:
    case KeyValueOperation::kGetMany: return get_all(store, request);
    case KeyValueOperation::kSet:
    case KeyValueOperation::kSetMany: return set_all(store, request);
    case KeyValueOperation::kDelete:
    case KeyValueOperation::kDeleteMany: return remove_all(store, request);
    case KeyValueOperation::kExists: return exists(store, request);
    case KeyValueOperation::kListKeys: return list_keys(store, request);
    case KeyValueOperation::kIncrement: return increment(store, request);
    case KeyValueOperation::kCompareAndSwap: return compare_and_swap(store, request);
  }
  return fail(ErrorKind::kInternal, "an operation without a store");
}

bool SqliteStore::too_large(const KeyValueRequest& request) const {
  for (std::size_t i = 0; i < request.values.size(); ++i) {
    if (MemoryStore::kEntryBytes + request.keys[i].size() + request.values[i].size() > bytes_max_) return true;
  }
  return false;
}

Result<std::optional<std::string>> SqliteStore::read(std::int64_t store, std::string_view key) {
  Statement& get = statements_->get;
  Result<bool> row = get.reset().bind(1, store).bind_bytes(2, key).step();
  if (!row) return fail(std::move(row.error()));
  std::optional<std::string> value;
  if (*row) value = get.text(0);
  get.reset();
  return value;
}

Status SqliteStore::write(std::int64_t store, std::string_view key, std::string_view value) {
  Statement& size = statements_->size;
  Result<bool> old = size.reset().bind(1, store).bind_bytes(2, key).step();
  if (!old) return fail(std::move(old.error()));
  auto value_bytes = static_cast<std::int64_t>(value.size());
  std::int64_t more = *old ? value_bytes - size.number(0) : cost(key, value_bytes);
  size.reset();
  Statement& count = statements_->count;
  Result<bool> counted = count.reset().bind(1, store).bind(2, more).step();
  if (!counted) return fail(std::move(counted.error()));
  std::int64_t bytes = count.number(0);
  std::int64_t changes = count.number(1);
  count.reset();
  Result<bool> put =
      statements_->put.reset().bind(1, store).bind_bytes(2, key).bind_bytes(3, value).bind(4, changes).step();
  if (!put) return fail(std::move(put.error()));
  statements_->put.reset();
  return make_room(store, bytes);
}

Result<std::int64_t> SqliteStore::change(std::int64_t store, std::int64_t bytes) {
  Statement& change = statements_->change;
  Result<bool> row = change.reset().bind(1, store).bind(2, bytes).step();
  if (!row) return fail(std::move(row.error()));
  std::int64_t left = *row ? change.number(0) : 0;
  change.reset();
  return left;
}

Result<std::int64_t> SqliteStore::remove(std::int64_t store, std::string_view key) {
  Statement& statement = statements_->remove;
  Result<bool> removed = statement.reset().bind(1, store).bind_bytes(2, key).step();
  if (!removed) return fail(std::move(removed.error()));
  if (!*removed) return 0;
  std::int64_t bytes = cost(key, statement.number(0));
  // A statement with rows left would keep the transaction open.
  statement.reset();
  return change(store, -bytes);
}

// What was just written came last and fits, so it stays.
Status SqliteStore::make_room(std::int64_t store, std::int64_t bytes) {
  while (bytes > static_cast<std::int64_t>(bytes_max_)) {
    Statement& oldest = statements_->oldest;
    Result<bool> row = oldest.reset().bind(1, store).step();
    if (!row) return fail(std::move(row.error()));
    std::string key = *row ? oldest.text(0) : std::string();
    bool any = *row;
    oldest.reset();
    if (!any) return {};
    Result<std::int64_t> left = remove(store, key);
    if (!left) return fail(std::move(left.error()));
    bytes = *left;
  }
  return {};
}

Result<Answer> SqliteStore::get_all(std::int64_t store, const KeyValueRequest& request) {
  Answer answer;
  std::size_t bytes = 0;
  for (std::string_view key : request.keys) {
    Result<std::optional<std::string>> value = read(store, key);
    if (!value) return fail(std::move(value.error()));
    bytes += *value ? (*value)->size() : 0;
    if (bytes > KeyValueReply::kBytesMax) return refusal(kReplyTooLarge);
    answer.entries.push_back(std::move(*value));
  }
  return answer;
}

Result<Answer> SqliteStore::set_all(std::int64_t store, const KeyValueRequest& request) {
  if (too_large(request)) return refusal(kEntryTooLarge);
  for (std::size_t i = 0; i < request.keys.size(); ++i) {
    if (Status written = write(store, request.keys[i], request.values[i]); !written)
      return fail(std::move(written.error()));
  }
  return Answer();
}

Result<Answer> SqliteStore::remove_all(std::int64_t store, const KeyValueRequest& request) {
  for (std::string_view key : request.keys) {
    if (Result<std::int64_t> left = remove(store, key); !left) return fail(std::move(left.error()));
  }
  return Answer();
}

Result<Answer> SqliteStore::exists(std::int64_t store, const KeyValueRequest& request) {
  Result<bool> row = statements_->size.reset().bind(1, store).bind_bytes(2, request.keys[0]).step();
  if (!row) return fail(std::move(row.error()));
  statements_->size.reset();
  Answer answer;
  answer.yes = *row;
  return answer;
}

Result<Answer> SqliteStore::list_keys(std::int64_t store, const KeyValueRequest& request) {
  std::int64_t cursor = 0;
  if (request.cursor) {
    std::optional<std::int64_t> parsed = parse_decimal<std::int64_t>(*request.cursor);
    if (!parsed || *parsed < 0) return refusal(kForeignCursor);
    cursor = *parsed;
  }
  // One more than the page, which tells whether there is a next one.
  constexpr auto kRows = static_cast<std::int64_t>(KeyValueReply::kKeysMax) + 1;
  Statement& list = statements_->list;
  list.reset().bind(1, store).bind(2, cursor).bind(3, kRows);
  Answer answer;
  std::size_t bytes = 0;
  for (;;) {
    Result<bool> row = list.step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) break;
    std::string key = list.text(0);
    bytes += key.size();
    if (answer.keys.size() == KeyValueReply::kKeysMax || bytes > KeyValueReply::kBytesMax) {
      answer.cursor = std::to_string(cursor);
      break;
    }
    cursor = list.number(1);
    answer.keys.push_back(std::move(key));
  }
  list.reset();
  return answer;
}

Result<Answer> SqliteStore::increment(std::int64_t store, const KeyValueRequest& request) {
  Result<std::optional<std::string>> value = read(store, request.keys[0]);
  if (!value) return fail(std::move(value.error()));
  std::int64_t number = 0;
  if (*value) {
    std::optional<std::int64_t> parsed = parse_decimal<std::int64_t>(**value);
    if (!parsed) return refusal(kNoNumber);
    number = *parsed;
  }
  if (__builtin_add_overflow(number, request.delta, &number)) return refusal(kBeyond64Bits);
  if (Status written = write(store, request.keys[0], std::to_string(number)); !written)
    return fail(std::move(written.error()));
  Answer answer;
  answer.number = number;
  return answer;
}

Result<Answer> SqliteStore::compare_and_swap(std::int64_t store, const KeyValueRequest& request) {
  if (too_large(request)) return refusal(kEntryTooLarge);
  Result<std::optional<std::string>> value = read(store, request.keys[0]);
  if (!value) return fail(std::move(value.error()));
  Answer answer;
  answer.yes = request.expected ? *value && **value == *request.expected : !*value;
  if (!answer.yes) return answer;
  if (Status written = write(store, request.keys[0], request.values[0]); !written)
    return fail(std::move(written.error()));
  return answer;
}

}  // namespace sandgate::capability
