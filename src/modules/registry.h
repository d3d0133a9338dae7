// SPDX-License-Identifier: Apache-2.0
//
// The one place that changes which modules are deployed: on disk first, then in the store that requests read. Blocking;
// any thread but a loop's, one change at a time.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "modules/descriptor.h"
#include "modules/module_archive.h"
#include "modules/module_store.h"
#include "sandbox/module.h"

namespace sandgate::modules {

// A module that passed every check. `wasm` outlives the call it is given to.
struct Candidate {
  Descriptor descriptor;
  std::string_view wasm;
  std::string sha256_hex;
  std::shared_ptr<const sandbox::Module> module;
};

enum class PutKind : unsigned char { kCreated, kReplaced, kUnchanged };
struct PutResult {
  PutKind kind = PutKind::kCreated;
  std::shared_ptr<const DeployedModule> module;
};

class Registry {
 public:
  // `store` outlives this. `archive` is null when nothing is kept.
  Registry(ModuleStore& store, std::unique_ptr<ModuleArchive> archive) : store_(store), archive_(std::move(archive)) {}

  const ModuleStore& store() const { return store_; }
  const ModuleArchive* archive() const { return archive_.get(); }

  // Appends. As ModuleStore::add; kInternal when it could not be kept: then it is not deployed.
  Result<std::shared_ptr<const DeployedModule>> add(Candidate candidate);
  // Takes the place of the module of that name, with its uuid, or appends when there is none. Contents may repeat.
  Result<PutResult> put(Candidate candidate);
  // kNotFound, or kInternal: it could not be removed from the disk and stays.
  Status remove(const std::string& uuid);
  // The modules of the configuration file; see ModuleStore. They are not kept on disk.
  Status set_file_modules(std::vector<std::shared_ptr<const DeployedModule>> modules);

  // From now on add(), put() and remove() are kOverloaded, until release(): two servers share the data directory for a
  // while. A change that has begun is on disk when this returns.
  void hold();
  void release();
  // kOverloaded while changes are held. Waits for nothing.
  Status accepts_changes() const;
  // As ModuleArchive::commit.
  Status commit();

  // Takes back into the store what the archive has. At the start.
  Status restore(std::shared_ptr<const DeployedModule> module);

  // The module that a put of this would leave as it is: same name, content, attach points and options, and it can run.
  // Null when there is none. Any thread.
  static std::shared_ptr<const DeployedModule> find_same(const Snapshot& snapshot, const Descriptor& descriptor,
                                                         std::string_view sha256_hex);

 private:
  std::mutex mutex_;
  std::atomic<bool> held_{false};  // changed under the mutex, so that what begins after that sees it
  ModuleStore& store_;
  std::unique_ptr<ModuleArchive> archive_;
};

}  // namespace sandgate::modules
