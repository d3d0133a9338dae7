// SPDX-License-Identifier: Apache-2.0
#include "modules/registry.h"

#include <utility>

#include "modules/deployment_checks.h"
#include "platform/clock.h"
#include "platform/entropy.h"

namespace sandgate::modules {
namespace {

std::shared_ptr<DeployedModule> make_module(Candidate candidate) {
  auto module = std::make_shared<DeployedModule>();
  module->uuid = platform::make_uuid();
  module->name = std::move(candidate.descriptor.name);
  module->file_path = std::move(candidate.descriptor.file_path);
  module->sha256_hex = std::move(candidate.sha256_hex);
  module->size_bytes = candidate.wasm.size();
  module->created_unix_ns = platform::unix_now_ns();
  module->attach_points = without_repeats(candidate.descriptor.attach_points);
  module->options = std::move(candidate.descriptor.options);
  module->module = std::move(candidate.module);
  return module;
}

}  // namespace

// Checked before the disk is touched: nobody else adds, so the store then takes it.
Result<std::shared_ptr<const DeployedModule>> Registry::add(Candidate candidate) {
  std::lock_guard lock(mutex_);
  if (Status open = accepts_changes(); !open) return fail(std::move(open.error()));
  std::string_view wasm = candidate.wasm;
  std::shared_ptr<const DeployedModule> module = make_module(std::move(candidate));
  std::shared_ptr<const Snapshot> before = store_.snapshot();
  if (Status unique = check_unique(*before, module->name, module->sha256_hex); !unique)
    return fail(std::move(unique.error()));
  if (archive_ != nullptr) {
    if (Status kept = archive_->add(*module, wasm); !kept) return fail(std::move(kept.error()));
  }
  if (Status added = store_.add(module); !added) return fail(std::move(added.error()));
  return module;
}

std::shared_ptr<const DeployedModule> Registry::find_same(const Snapshot& snapshot, const Descriptor& descriptor,
                                                          std::string_view sha256_hex) {
  const DeployedModule* old = find_by_name(snapshot, descriptor.name);
  if (old == nullptr || old->module == nullptr || old->sha256_hex != sha256_hex) return nullptr;
  if (old->attach_points != without_repeats(descriptor.attach_points) || old->options != descriptor.options)
    return nullptr;
  return old->shared_from_this();
}

Result<PutResult> Registry::put(Candidate candidate) {
  std::lock_guard lock(mutex_);
  if (Status open = accepts_changes(); !open) return fail(std::move(open.error()));
  std::shared_ptr<const Snapshot> before = store_.snapshot();
  if (auto same = find_same(*before, candidate.descriptor, candidate.sha256_hex))
    return PutResult{PutKind::kUnchanged, std::move(same)};
  std::string_view wasm = candidate.wasm;
  std::shared_ptr<DeployedModule> module = make_module(std::move(candidate));
  const DeployedModule* old = find_by_name(*before, module->name);
  if (old != nullptr) {
    if (Status owned = check_owner(*old); !owned) return fail(std::move(owned.error()));
    module->uuid = old->uuid;
  } else if (Status room = check_unique(*before, module->name, {}); !room) {
    return fail(std::move(room.error()));
  }
  if (archive_ != nullptr) {
    Status kept = old != nullptr ? archive_->replace(*module, wasm) : archive_->add(*module, wasm);
    if (!kept) return fail(std::move(kept.error()));
  }
  Status done = old != nullptr ? store_.replace(module) : store_.add(module, ModuleStore::SameContent::kAllowed);
  if (!done) return fail(std::move(done.error()));
  return PutResult{old != nullptr ? PutKind::kReplaced : PutKind::kCreated, std::move(module)};
}

Status Registry::remove(const std::string& uuid) {
  std::lock_guard lock(mutex_);
  if (Status open = accepts_changes(); !open) return open;
  std::shared_ptr<const Snapshot> before = store_.snapshot();
  const DeployedModule* module = find_by_uuid_or_name(*before, uuid);
  if (module != nullptr) {
    if (Status owned = check_owner(*module); !owned) return owned;
  }
  if (archive_ != nullptr && module != nullptr && module->uuid == uuid) {
    if (Status removed = archive_->remove(uuid); !removed) return removed;
  }
  return store_.remove(uuid);
}

Status Registry::set_file_modules(std::vector<std::shared_ptr<const DeployedModule>> modules) {
  std::lock_guard lock(mutex_);
  return store_.set_file_modules(std::move(modules));
}

void Registry::hold() {
  std::lock_guard lock(mutex_);
  held_.store(true, std::memory_order_release);
}

void Registry::release() {
  std::lock_guard lock(mutex_);
  held_.store(false, std::memory_order_release);
}

Status Registry::accepts_changes() const {
  if (!held_.load(std::memory_order_acquire)) return {};
  return fail(ErrorKind::kOverloaded, "A new server process is taking over; send this again in a moment");
}

Status Registry::commit() {
  std::lock_guard lock(mutex_);
  return archive_ == nullptr ? Status() : archive_->commit();
}

Status Registry::restore(std::shared_ptr<const DeployedModule> module) {
  return store_.add(std::move(module), ModuleStore::SameContent::kAllowed);
}

}  // namespace sandgate::modules
