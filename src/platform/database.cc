// SPDX-License-Identifier: Apache-2.0
#include "platform/database.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <utility>

namespace sandgate::platform {
namespace {

// Somebody may look at the file with the sqlite3 program while the server runs; they are done sooner than this.
constexpr int kBusyMilliseconds = 2000;

std::unexpected<Error> failure(std::string_view doing, sqlite3* database, int code) {
  const char* text = database != nullptr ? ::sqlite3_errmsg(database) : ::sqlite3_errstr(code);
  return fail(ErrorKind::kInternal, fmt::format("{} failed", doing), fmt::format("{} ({})", text, code));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* database) const { ::sqlite3_close_v2(database); }

Statement& Statement::bind(int parameter, std::string_view text) {
  int code =
      ::sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (first_error_ == SQLITE_OK) first_error_ = code;
  return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
  int code = ::sqlite3_bind_int64(statement_.get(), parameter, number);
  if (first_error_ == SQLITE_OK) first_error_ = code;
  return *this;
}

Statement& Statement::bind_bytes(int parameter, std::string_view bytes) {
  // No bytes are an empty BLOB and not NULL, which a null pointer would make.
  const char* data = bytes.data() != nullptr ? bytes.data() : "";
  int code = ::sqlite3_bind_blob64(statement_.get(), parameter, data, bytes.size(), SQLITE_TRANSIENT);
  if (first_error_ == SQLITE_OK) first_error_ = code;
  return *this;
}

Statement& Statement::reset() {
  ::sqlite3_reset(statement_.get());
  first_error_ = SQLITE_OK;
  return *this;
}

Result<bool> Statement::step() {
  int code = first_error_ == SQLITE_OK ? ::sqlite3_step(statement_.get()) : first_error_;
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failure("a statement", ::sqlite3_db_handle(statement_.get()), code);
}

std::string Statement::text(int column) const {
  const unsigned char* bytes = ::sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes),
          static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column))};
}

std::int64_t Statement::number(int column) const { return ::sqlite3_column_int64(statement_.get(), column); }

Result<Database> Database::open(const std::string& path, IfMissing if_missing) {
  sqlite3* opened = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  if (if_missing == IfMissing::kCreate) flags |= SQLITE_OPEN_CREATE;
  int code = ::sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) return failure("opening a database", opened, code);
  ::sqlite3_busy_timeout(opened, kBusyMilliseconds);
  return database;
}

Status Database::run(const char* sql) {
  int code = ::sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure("a statement", database_.get(), code);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  int code = ::sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
  if (code != SQLITE_OK) return failure("preparing a statement", database_.get(), code);
  return Statement(prepared);
}

Result<std::int64_t> Database::ask(std::string_view sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return fail(std::move(statement.error()));
  Result<bool> row = statement->step();
  if (!row) return fail(std::move(row.error()));
  return *row ? statement->number(0) : 0;
}

}  // namespace sandgate::platform
