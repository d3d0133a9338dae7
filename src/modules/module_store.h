// SPDX-License-Identifier: Apache-2.0
//
// The deployed modules of the server, in deployment order. Changes are rare and made under a lock; the request path
// takes an immutable snapshot. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "modules/execution_stats.h"
#include "modules/hook_stats.h"
#include "modules/module_record.h"
#include "sandbox/module.h"

namespace sandgate::modules {

// What is counted of a module. Uses of one module with settings of their own count together.
struct ModuleCounters {
  std::atomic<std::int64_t> last_accessed_unix_ns{0};
  std::atomic<std::uint64_t> access_count{0};
  std::array<HookStats, kAttachPoints> hooks;  // by attach point
};

// Who says that a module is there.
enum class ModuleOwner : unsigned char {
  kApi,   // deployed through the API or the command line: runs on every request
  kFile,  // the configuration file: runs where its routes name it, and only the file changes it
};
// "api", "file".
std::string_view module_owner_name(ModuleOwner owner);

// A module as it was deployed. Immutable but for the counters.
struct DeployedModule : ModuleRecord, std::enable_shared_from_this<DeployedModule> {
  // Null when the module cannot run, because its file is lost or its code does not compile any more: every call of it
  // fails then.
  std::shared_ptr<const sandbox::Module> module;
  std::string unavailable;  // why it cannot run; empty when it can

  ModuleOwner owner = ModuleOwner::kApi;

  std::shared_ptr<ModuleCounters> counters = std::make_shared<ModuleCounters>();  // never null
  // No longer in the store, though calls may still run on it: nothing of it is kept for later.
  mutable std::atomic<bool> removed{false};

  HookStats& stats(AttachPoint point) const { return counters->hooks[static_cast<std::size_t>(point)]; }
};

// What is deployed at one moment. The lists by attach point have what runs on every request: not the file's modules.
struct Snapshot {
  std::vector<std::shared_ptr<const DeployedModule>> all;  // the file's first
  std::vector<std::shared_ptr<const DeployedModule>> on_request;
  std::vector<std::shared_ptr<const DeployedModule>> on_response;
  std::vector<std::shared_ptr<const DeployedModule>> on_error;

  // Runs after those that are there.
  void append_hooks(const std::shared_ptr<const DeployedModule>& module);
  bool runs_nothing() const { return on_request.empty() && on_response.empty() && on_error.empty(); }
};

// The module of this name, else null. Valid as long as the snapshot.
const DeployedModule* find_by_name(const Snapshot& snapshot, std::string_view name);
// The module of this UUID or, when there is none, of this name, else null.
const DeployedModule* find_by_uuid_or_name(const Snapshot& snapshot, std::string_view id);

// kDenied when the module is the configuration file's: only that changes it.
Status check_owner(const DeployedModule& module);
// Whether a module of this name and content may be added; an empty text is not compared. kInvalid, see
// ModuleStore::add.
Status check_unique(const Snapshot& snapshot, std::string_view name, std::string_view sha256_hex);

class ModuleStore {
 public:
  // A bound on what one server runs; each module costs compiled code and a row in every report.
  static constexpr std::size_t kModulesMax = 1024;

  // Whether a second module may have the same content.
  enum class SameContent : bool { kRefused, kAllowed };
  // Appends. kInvalid: the name or the sha256 is deployed already (the detail names which), or the store is full.
  Status add(std::shared_ptr<const DeployedModule> module, SameContent same = SameContent::kRefused);
  // Puts the module into the place of the one with its uuid, in one step: a request sees the old one or the new one.
  // kNotFound when there is none; kDenied when it is the configuration file's. Running calls finish on the old one.
  Status replace(const std::shared_ptr<const DeployedModule>& module);
  // kNotFound when no module has this uuid; kDenied when it is the configuration file's. Running calls finish on their
  // own reference.
  Status remove(std::string_view uuid);
  // The modules of the configuration file, all at once, instead of those before. Those that are in both stay as they
  // are. kInvalid: the name of one is deployed through the API, or there are too many.
  Status set_file_modules(std::vector<std::shared_ptr<const DeployedModule>> modules);
  // Something that instances are kept for is gone (DeployedModule::removed).
  void touch() { version_.fetch_add(1, std::memory_order_release); }

  std::shared_ptr<const Snapshot> snapshot() const;
  // Changes with every add and remove; readers keep their snapshot while it stays the same.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Sums since start, removed modules included.
  ExecutionTotals totals() const;
  ExecutionStats& total_stats() const { return total_stats_; }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<Snapshot>();
  std::atomic<std::uint64_t> version_{1};
  mutable ExecutionStats total_stats_;
};

// A loop's copy of the snapshot: one atomic load per request, no shared reference count. Loop thread only.
class SnapshotReader {
 public:
  explicit SnapshotReader(const ModuleStore& store) : store_(store) {}
  // Valid until the next call; copy the pointer to keep it across a suspension.
  const std::shared_ptr<const Snapshot>& current();

 private:
  const ModuleStore& store_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::uint64_t version_ = 0;
};

}  // namespace sandgate::modules
