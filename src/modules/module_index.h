// SPDX-License-Identifier: Apache-2.0
//
// Which modules are deployed, in order, in one SQLite file. A change is whole and on disk when its function returns; a
// crash leaves the file before or after it. Each row carries a digest of itself, so that damage shows which SQLite does
// not look for. Blocking; one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "modules/module_record.h"
#include "platform/database.h"

namespace sandgate::modules {

class ModuleIndex {
 public:
  // Of the rows and columns. A newer one is refused; an older one will be converted when there is one.
  static constexpr std::int64_t kSchemaVersion = 1;

  // Makes a new index, or opens one that must be whole. kInternal with what to do when the file is damaged or empty,
  // kUnsupported when a newer version wrote it.
  static Result<std::unique_ptr<ModuleIndex>> create(const std::string& path);
  static Result<std::unique_ptr<ModuleIndex>> open(const std::string& path);

  // All rows in order. As open() when one is damaged.
  Result<std::vector<ModuleRecord>> read();
  // At the end.
  Status add(const ModuleRecord& record);
  // In the place of the row with its uuid.
  Status replace(const ModuleRecord& record);
  Status remove(std::string_view uuid);

  // Changes between the two are on disk all together with commit(), and none of them when that is never called.
  // kInternal; begin() waits for another process that writes, as long as platform::Database does.
  Status begin();
  Status commit();

 private:
  ModuleIndex(std::string path, platform::Database database) : path_(std::move(path)), database_(std::move(database)) {}
  Status change(std::string_view sql, const ModuleRecord& record);

  std::string path_;
  platform::Database database_;
};

}  // namespace sandgate::modules
