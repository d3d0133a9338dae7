// SPDX-License-Identifier: Apache-2.0
//
// What survives the process: the index of modules and their bytes, in a data directory that this server holds. A change
// is on disk when its function returns, and a crash at any moment leaves the modules before or after it: bytes go in
// before the row that names them and out after it. Blocking; read_wasm() from any thread, the rest one thread at a
// time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "modules/blob_store.h"
#include "modules/data_directory.h"
#include "modules/module_index.h"
#include "modules/module_record.h"

namespace sandgate::modules {

class ModuleArchive {
 public:
  // As DataDirectory::open and ModuleIndex::open. An index that is missing while there are bytes of modules is damage,
  // not a new beginning.
  static Result<std::unique_ptr<ModuleArchive>> open(const std::string& directory);
  // The same in the place of the server that shared `lock`. When it is the lock of this directory, that server still
  // serves what is there: then changes are on disk with commit(), and an end before it leaves everything as it was.
  static Result<std::unique_ptr<ModuleArchive>> open(const std::string& directory, const platform::Descriptor& lock);
  // The server before has no more to say here. kInternal: what was changed since open() is not kept.
  Status commit();
  // As DataDirectory::share_lock.
  Result<platform::Descriptor> share_lock() const { return directory_.share_lock(); }

  // In order.
  const std::vector<ModuleRecord>& records() const { return records_; }
  const std::string& directory() const { return directory_.path(); }
  // As BlobStore::read.
  Result<std::string> read_wasm(const ModuleRecord& record) const { return blobs_.read(record.sha256_hex); }

  // kInternal: nothing has changed. `wasm` has the record's sha256.
  Status add(const ModuleRecord& record, std::string_view wasm);
  // In the place of the record with its uuid.
  Status replace(const ModuleRecord& record, std::string_view wasm);
  Status remove(std::string_view uuid);

 private:
  ModuleArchive(DataDirectory directory, BlobStore blobs, std::unique_ptr<ModuleIndex> index);
  std::vector<ModuleRecord>::iterator find(std::string_view uuid);
  bool needs(std::string_view sha256_hex) const;
  void drop_blob(std::string_view sha256_hex) const;
  void drop_unneeded_blobs();

  DataDirectory directory_;
  BlobStore blobs_;
  std::unique_ptr<ModuleIndex> index_;
  std::vector<ModuleRecord> records_;  // as in the index
  bool uncommitted_ = false;           // another server needs what is on disk
};

}  // namespace sandgate::modules
