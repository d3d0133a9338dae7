// SPDX-License-Identifier: Apache-2.0
#include "modules/module_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace sandgate::modules {
namespace {

void append(Snapshot& snapshot, std::shared_ptr<const DeployedModule> module) {
  if (module->attached(AttachPoint::kOnRequest)) snapshot.on_request.push_back(module);
  if (module->attached(AttachPoint::kOnResponse)) snapshot.on_response.push_back(module);
  if (module->attached(AttachPoint::kOnError)) snapshot.on_error.push_back(module);
  snapshot.all.push_back(std::move(module));
}

}  // namespace

bool DeployedModule::attached(AttachPoint point) const {
  return std::ranges::find(attach_points, point) != attach_points.end();
}

Status check_unique(const Snapshot& snapshot, std::string_view name, std::string_view sha256_hex) {
  for (const auto& module : snapshot.all) {
    if (!name.empty() && module->name == name) {
      return fail(ErrorKind::kInvalid, fmt::format("module with same name already exists: {}", name));
    }
    if (!sha256_hex.empty() && module->sha256_hex == sha256_hex) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("Duplicate SHA256 hash detected: module with same sha256 already exists: "
                              "\"{}\" has {}",
                              module->name, sha256_hex));
    }
  }
  if (snapshot.all.size() >= ModuleStore::kModulesMax) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{} modules are deployed, which is the most one server keeps; remove one first",
                            ModuleStore::kModulesMax));
  }
  return {};
}

Status ModuleStore::add(std::shared_ptr<const DeployedModule> module) {
  std::lock_guard lock(mutex_);
  if (Status unique = check_unique(*snapshot_, module->name, module->sha256_hex); !unique) return unique;
  auto next = std::make_shared<Snapshot>(*snapshot_);
  append(*next, std::move(module));
  snapshot_ = std::move(next);
  version_.fetch_add(1, std::memory_order_release);
  return {};
}

Status ModuleStore::remove(std::string_view uuid) {
  // Freed after the lock: the last reference to a module unmaps its code.
  std::shared_ptr<const Snapshot> previous;
  std::lock_guard lock(mutex_);
  auto has_uuid = [uuid](const auto& module) { return module->uuid == uuid; };
  if (std::ranges::none_of(snapshot_->all, has_uuid)) {
    return fail(ErrorKind::kNotFound, fmt::format("Module with UUID {} not found", uuid));
  }
  auto next = std::make_shared<Snapshot>();
  for (const auto& module : snapshot_->all) {
    if (module->uuid != uuid) append(*next, module);
  }
  previous = std::exchange(snapshot_, std::move(next));
  version_.fetch_add(1, std::memory_order_release);
  return {};
}

std::shared_ptr<const Snapshot> ModuleStore::snapshot() const {
  std::lock_guard lock(mutex_);
  return snapshot_;
}

ExecutionTotals ModuleStore::totals() const { return total_stats_.read(); }

const std::shared_ptr<const Snapshot>& SnapshotReader::current() {
  // The version is read first: a change in between costs a second look, never a missed one.
  if (std::uint64_t version = store_.version(); version != version_) {
    snapshot_ = store_.snapshot();
    version_ = version;
  }
  return snapshot_;
}

}  // namespace sandgate::modules
