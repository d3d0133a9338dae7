// SPDX-License-Identifier: Apache-2.0
#include "modules/module_archive.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "platform/file.h"

namespace sandgate::modules {
namespace {

Result<std::unique_ptr<ModuleIndex>> open_index(const DataDirectory& directory, const BlobStore& blobs) {
  std::string path = directory.path_of("modules.db");
  std::error_code failure;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, failure))) return ModuleIndex::open(path);
  if (!blobs.empty()) {
    return fail(ErrorKind::kInternal,
                fmt::format("{0} is missing, but {1} has files of modules. Put a copy of the data directory back, or "
                            "move {1} away and deploy the modules again",
                            path, directory.path_of("blobs")));
  }
  return ModuleIndex::create(path);
}

}  // namespace

ModuleArchive::ModuleArchive(DataDirectory directory, BlobStore blobs, std::unique_ptr<ModuleIndex> index)
    : directory_(std::move(directory)), blobs_(std::move(blobs)), index_(std::move(index)) {}

Result<std::unique_ptr<ModuleArchive>> ModuleArchive::open(const std::string& path) {
  return open(path, platform::Descriptor());
}

Result<std::unique_ptr<ModuleArchive>> ModuleArchive::open(const std::string& path, const platform::Descriptor& lock) {
  Result<DataDirectory> directory = DataDirectory::open(path, lock);
  if (!directory) return fail(std::move(directory.error()));
  BlobStore blobs(directory->path_of("blobs"));
  if (Status prepared = blobs.prepare(); !prepared) return fail(std::move(prepared.error()));
  Result<std::unique_ptr<ModuleIndex>> index = open_index(*directory, blobs);
  if (!index) return fail(std::move(index.error()));
  const bool shared = directory->shared();
  if (shared) {
    if (Status begun = (*index)->begin(); !begun) return fail(std::move(begun.error()));
  }
  Result<std::vector<ModuleRecord>> records = (*index)->read();
  if (!records) return fail(std::move(records.error()));
  // The folder itself, which may be new.
  if (Status synced = platform::sync_folder_of(directory->path()); !synced) return fail(std::move(synced.error()));
  std::unique_ptr<ModuleArchive> archive(new ModuleArchive(std::move(*directory), std::move(blobs), std::move(*index)));
  archive->records_ = std::move(*records);
  archive->uncommitted_ = shared;
  if (!shared) archive->drop_unneeded_blobs();
  return archive;
}

Status ModuleArchive::commit() {
  if (!uncommitted_) return {};
  if (Status done = index_->commit(); !done) return done;
  uncommitted_ = false;
  drop_unneeded_blobs();
  return {};
}

void ModuleArchive::drop_unneeded_blobs() {
  blobs_.remove_unless([this](std::string_view sha256_hex) { return needs(sha256_hex); });
}

std::vector<ModuleRecord>::iterator ModuleArchive::find(std::string_view uuid) {
  return std::ranges::find(records_, uuid, [](const ModuleRecord& record) { return std::string_view(record.uuid); });
}

bool ModuleArchive::needs(std::string_view sha256_hex) const {
  return std::ranges::any_of(records_,
                             [sha256_hex](const ModuleRecord& record) { return record.sha256_hex == sha256_hex; });
}

void ModuleArchive::drop_blob(std::string_view sha256_hex) const {
  if (!uncommitted_ && !needs(sha256_hex)) blobs_.remove(sha256_hex);
}

Status ModuleArchive::add(const ModuleRecord& record, std::string_view wasm) {
  Status written = blobs_.write(record.sha256_hex, wasm);
  if (written) written = index_->add(record);
  // The bytes stay when the row could not be written: the next start removes what no row names.
  if (!written) return written;
  records_.push_back(record);
  return {};
}

Status ModuleArchive::replace(const ModuleRecord& record, std::string_view wasm) {
  auto old = find(record.uuid);
  if (old == records_.end()) return fail(ErrorKind::kNotFound, "the module is not in the index");
  Status written = blobs_.write(record.sha256_hex, wasm);
  if (written) written = index_->replace(record);
  if (!written) return written;
  std::string before = std::exchange(*old, record).sha256_hex;
  drop_blob(before);
  return {};
}

Status ModuleArchive::remove(std::string_view uuid) {
  auto old = find(uuid);
  if (old == records_.end()) return fail(ErrorKind::kNotFound, "the module is not in the index");
  if (Status removed = index_->remove(uuid); !removed) return removed;
  std::string sha256_hex = std::move(old->sha256_hex);
  records_.erase(old);
  drop_blob(sha256_hex);
  return {};
}

}  // namespace sandgate::modules
