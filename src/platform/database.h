// SPDX-License-Identifier: Apache-2.0
//
// SQLite as much as we need of it: a file, statements with parameters, rows. Errors are kInternal with SQLite's text as
// cause. Blocking; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sandgate::platform {

// Owned by whoever prepared it; ends before its database. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::int64_t number);
  // The same bytes as a BLOB, which compares byte by byte and has its length in bytes.
  Statement& bind_bytes(int parameter, std::string_view bytes);
  // True: there is a row, whose texts live until the next call. False: the end.
  Result<bool> step();
  // Begins anew: parameters may be bound again. Texts of the row are gone.
  Statement& reset();
  // A text or the bytes of a BLOB.
  std::string text(int column) const;
  std::int64_t number(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int first_error_ = 0;  // of bind
};

class Database {
 public:
  enum class IfMissing : bool { kFail, kCreate };
  static Result<Database> open(const std::string& path, IfMissing if_missing);

  // One or more statements without results.
  Status run(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  // The number in the first column of the first row.
  Result<std::int64_t> ask(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace sandgate::platform
