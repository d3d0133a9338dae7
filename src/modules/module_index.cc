// SPDX-License-Identifier: Apache-2.0
#include "modules/module_index.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iterator>
#include <optional>
#include <utility>

#include "modules/attach_points.h"
#include "modules/module_options_json.h"
#include "platform/digest.h"
#include "platform/file.h"

namespace sandgate::modules {
namespace {

// "SGMI": tells our file from another program's.
constexpr std::int64_t kApplicationId = 0x53474D49;
constexpr mode_t kMode = 0600;
// EXTRA syncs the folder as well when the journal goes: without, a transaction that was committed could be rolled back
// after a power failure. A rollback journal and no WAL: everything that counts is in one file that can be checked.
constexpr char kDurable[] = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;";
constexpr char kSchema[] =
    "BEGIN;"
    "CREATE TABLE modules (position INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
    " file_path TEXT NOT NULL, sha256 TEXT NOT NULL, size_bytes INTEGER NOT NULL, created_unix_ns INTEGER NOT NULL,"
    " attach_points TEXT NOT NULL, options TEXT NOT NULL, digest TEXT NOT NULL) STRICT;"
    "PRAGMA application_id=0x53474D49; PRAGMA user_version=1;"
    "COMMIT;";
static_assert(ModuleIndex::kSchemaVersion == 1, "the schema above names it");

std::unexpected<Error> damaged(const std::string& path, std::string_view reason) {
  return fail(ErrorKind::kInternal,
              fmt::format("{0} is damaged ({1}). Nothing was changed. Put a copy of the data directory back, or move "
                          "{0} and the folder blobs beside it away and deploy the modules again",
                          path, reason));
}

std::unexpected<Error> damaged(const std::string& path, const Error& error) {
  return damaged(path, error.cause.empty() ? error.detail : error.cause);
}

// Each piece with its length in front, so that they cannot run into each other.
std::string digest_of(const ModuleRecord& record) {
  std::string all;
  for (const std::string& piece : {record.uuid, record.name, record.file_path, record.sha256_hex,
                                   std::to_string(record.size_bytes), std::to_string(record.created_unix_ns),
                                   join_attach_points(record.attach_points), stored_options(record.options)}) {
    fmt::format_to(std::back_inserter(all), "{}:{}", piece.size(), piece);
  }
  return platform::sha256_hex(all);
}

Result<ModuleRecord> read_row(const platform::Statement& row) {
  ModuleRecord record;
  record.uuid = row.text(0);
  record.name = row.text(1);
  record.file_path = row.text(2);
  record.sha256_hex = row.text(3);
  record.size_bytes = static_cast<std::uint64_t>(row.number(4));
  record.created_unix_ns = row.number(5);
  std::optional<std::vector<AttachPoint>> points = parse_attach_points(row.text(6));
  std::expected<ModuleOptions, std::string> options = parse_stored_options(row.text(7));
  if (!points || !options) return fail(ErrorKind::kInvalid, fmt::format("the row of {} cannot be read", record.name));
  record.attach_points = std::move(*points);
  record.options = std::move(*options);
  if (digest_of(record) != row.text(8))
    return fail(ErrorKind::kInvalid, fmt::format("the row of {} does not have its digest", record.name));
  return record;
}

Status check_form(const std::string& path, platform::Database& database) {
  Result<std::int64_t> application = database.ask("PRAGMA application_id");
  if (!application) return damaged(path, application.error());
  if (*application != kApplicationId) return damaged(path, "it is not an index of modules");
  Result<std::int64_t> version = database.ask("PRAGMA user_version");
  if (!version) return damaged(path, version.error());
  if (*version != ModuleIndex::kSchemaVersion) {
    return fail(ErrorKind::kUnsupported,
                fmt::format("{} has the format {}, this sandgate knows {}: use the version that wrote it, or another "
                            "--data-dir",
                            path, *version, ModuleIndex::kSchemaVersion));
  }
  Result<platform::Statement> check = database.prepare("PRAGMA integrity_check(1)");
  if (!check) return damaged(path, check.error());
  Result<bool> row = check->step();
  if (!row) return damaged(path, row.error());
  if (!*row || check->text(0) != "ok") return damaged(path, check->text(0));
  return {};
}

std::unexpected<Error> not_kept(const Error& error) {
  return fail(ErrorKind::kInternal, "the index of modules cannot be written; is the disk full?", error.cause);
}

}  // namespace

// Under another name first: an index that a crash left half made is none.
Result<std::unique_ptr<ModuleIndex>> ModuleIndex::create(const std::string& path) {
  std::string temporary = path + ".new";
  // The journal of an index that is gone would be played into the new one.
  for (const std::string& left : {temporary, temporary + "-journal", path + "-journal"}) ::unlink(left.c_str());
  {
    Result<platform::Database> database = platform::Database::open(temporary, platform::Database::IfMissing::kCreate);
    if (!database) return not_kept(database.error());
    Status made = database->run(kDurable);
    if (made) made = database->run(kSchema);
    if (!made) return not_kept(made.error());
  }
  // Settings of modules may be secrets, and a folder that was there may be open for reading.
  if (::chmod(temporary.c_str(), kMode) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0)
    return not_kept({ErrorKind::kInternal, "renaming", platform::system_error_text(errno)});
  Status synced = platform::sync_folder_of(path);
  if (!synced) return not_kept(synced.error());
  return open(path);
}

Result<std::unique_ptr<ModuleIndex>> ModuleIndex::open(const std::string& path) {
  Result<platform::Database> database = platform::Database::open(path, platform::Database::IfMissing::kFail);
  if (!database) return damaged(path, database.error());
  if (Status sound = check_form(path, *database); !sound) return fail(std::move(sound.error()));
  if (Status durable = database->run(kDurable); !durable) return damaged(path, durable.error());
  return std::unique_ptr<ModuleIndex>(new ModuleIndex(path, std::move(*database)));
}

Result<std::vector<ModuleRecord>> ModuleIndex::read() {
  Result<platform::Statement> rows = database_.prepare(
      "SELECT uuid, name, file_path, sha256, size_bytes, created_unix_ns, attach_points, options, digest FROM modules"
      " ORDER BY position");
  if (!rows) return damaged(path_, rows.error());
  std::vector<ModuleRecord> records;
  for (;;) {
    Result<bool> row = rows->step();
    if (!row) return damaged(path_, row.error());
    if (!*row) return records;
    Result<ModuleRecord> record = read_row(*rows);
    if (!record) return damaged(path_, record.error());
    records.push_back(std::move(*record));
  }
}

Status ModuleIndex::change(std::string_view sql, const ModuleRecord& record) {
  Result<platform::Statement> statement = database_.prepare(sql);
  if (!statement) return not_kept(statement.error());
  statement->bind(1, record.uuid)
      .bind(2, record.name)
      .bind(3, record.file_path)
      .bind(4, record.sha256_hex)
      .bind(5, static_cast<std::int64_t>(record.size_bytes))
      .bind(6, record.created_unix_ns)
      .bind(7, join_attach_points(record.attach_points))
      .bind(8, stored_options(record.options))
      .bind(9, digest_of(record));
  Result<bool> done = statement->step();
  if (!done) return not_kept(done.error());
  return {};
}

// Without a position the row gets the largest one and one more.
Status ModuleIndex::add(const ModuleRecord& record) {
  return change(
      "INSERT INTO modules (uuid, name, file_path, sha256, size_bytes, created_unix_ns, attach_points, options, digest)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      record);
}

Status ModuleIndex::replace(const ModuleRecord& record) {
  return change(
      "UPDATE modules SET name = ?2, file_path = ?3, sha256 = ?4, size_bytes = ?5, created_unix_ns = ?6,"
      " attach_points = ?7, options = ?8, digest = ?9 WHERE uuid = ?1",
      record);
}

Status ModuleIndex::remove(std::string_view uuid) {
  Result<platform::Statement> statement = database_.prepare("DELETE FROM modules WHERE uuid = ?1");
  if (!statement) return not_kept(statement.error());
  statement->bind(1, uuid);
  Result<bool> done = statement->step();
  if (!done) return not_kept(done.error());
  return {};
}

Status ModuleIndex::begin() {
  Status begun = database_.run("BEGIN IMMEDIATE");
  if (!begun) return not_kept(begun.error());
  return {};
}

Status ModuleIndex::commit() {
  Status done = database_.run("COMMIT");
  if (!done) return not_kept(done.error());
  return {};
}

}  // namespace sandgate::modules
