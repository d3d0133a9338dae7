// SPDX-License-Identifier: Apache-2.0
#include "modules/module_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace sandgate::modules {
namespace {

void append(Snapshot& snapshot, std::shared_ptr<const DeployedModule> module) {
  if (module->owner == ModuleOwner::kApi) snapshot.append_hooks(module);
  snapshot.all.push_back(std::move(module));
}

}  // namespace

std::string_view module_owner_name(ModuleOwner owner) { return owner == ModuleOwner::kFile ? "file" : "api"; }

void Snapshot::append_hooks(const std::shared_ptr<const DeployedModule>& module) {
  if (module->attached(AttachPoint::kOnRequest)) on_request.push_back(module);
  if (module->attached(AttachPoint::kOnResponse)) on_response.push_back(module);
  if (module->attached(AttachPoint::kOnError)) on_error.push_back(module);
}

bool ModuleRecord::attached(AttachPoint point) const {
  return std::ranges::find(attach_points, point) != attach_points.end();
}

const DeployedModule* find_by_name(const Snapshot& snapshot, std::string_view name) {
  auto found = std::ranges::find(snapshot.all, name, [](const auto& module) { return std::string_view(module->name); });
  return found == snapshot.all.end() ? nullptr : found->get();
}

const DeployedModule* find_by_uuid_or_name(const Snapshot& snapshot, std::string_view id) {
  auto found = std::ranges::find(snapshot.all, id, [](const auto& module) { return std::string_view(module->uuid); });
  return found == snapshot.all.end() ? find_by_name(snapshot, id) : found->get();
}

Status check_owner(const DeployedModule& module) {
  if (module.owner == ModuleOwner::kApi) return {};
  return fail(ErrorKind::kDenied,
              fmt::format("module {} belongs to the configuration file; change it there and reload", module.name));
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

Status ModuleStore::add(std::shared_ptr<const DeployedModule> module, SameContent same) {
  std::lock_guard lock(mutex_);
  std::string_view content = same == SameContent::kRefused ? std::string_view(module->sha256_hex) : std::string_view();
  if (Status unique = check_unique(*snapshot_, module->name, content); !unique) return unique;
  auto next = std::make_shared<Snapshot>(*snapshot_);
  append(*next, std::move(module));
  snapshot_ = std::move(next);
  version_.fetch_add(1, std::memory_order_release);
  return {};
}

Status ModuleStore::replace(const std::shared_ptr<const DeployedModule>& module) {
  // Freed after the lock, as below.
  std::shared_ptr<const Snapshot> previous;
  std::lock_guard lock(mutex_);
  bool found = false;
  auto next = std::make_shared<Snapshot>();
  for (const auto& old : snapshot_->all) {
    bool replaced = old->uuid == module->uuid;
    if (Status owned = replaced ? check_owner(*old) : Status(); !owned) return owned;
    append(*next, replaced ? module : old);
    if (replaced) old->removed.store(true);
    found = found || replaced;
  }
  if (!found) return fail(ErrorKind::kNotFound, fmt::format("Module with UUID {} not found", module->uuid));
  previous = std::exchange(snapshot_, std::move(next));
  version_.fetch_add(1, std::memory_order_release);
  return {};
}

Status ModuleStore::remove(std::string_view uuid) {
  // Freed after the lock: the last reference to a module unmaps its code.
  std::shared_ptr<const Snapshot> previous;
  std::lock_guard lock(mutex_);
  auto has_uuid = [uuid](const auto& module) { return module->uuid == uuid; };
  auto doomed = std::ranges::find_if(snapshot_->all, has_uuid);
  if (doomed == snapshot_->all.end())
    return fail(ErrorKind::kNotFound, fmt::format("Module with UUID {} not found", uuid));
  if (Status owned = check_owner(**doomed); !owned) return owned;
  auto next = std::make_shared<Snapshot>();
  for (const auto& module : snapshot_->all) {
    if (module->uuid != uuid) {
      append(*next, module);
    } else {
      module->removed.store(true);
    }
  }
  previous = std::exchange(snapshot_, std::move(next));
  version_.fetch_add(1, std::memory_order_release);
  return {};
}

Status ModuleStore::set_file_modules(std::vector<std::shared_ptr<const DeployedModule>> modules) {
  std::shared_ptr<const Snapshot> previous;
  std::lock_guard lock(mutex_);
  auto next = std::make_shared<Snapshot>();
  for (const auto& module : modules) {
    if (Status unique = check_unique(*next, module->name, {}); !unique) return unique;
    append(*next, module);
  }
  for (const auto& old : snapshot_->all) {
    if (old->owner == ModuleOwner::kFile) continue;
    if (Status unique = check_unique(*next, old->name, {}); !unique) return unique;
    append(*next, old);
  }
  for (const auto& old : snapshot_->all) {
    if (old->owner == ModuleOwner::kFile && std::ranges::find(modules, old) == modules.end()) old->removed.store(true);
  }
  previous = std::exchange(snapshot_, std::move(next));
  touch();
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
