// SPDX-License-Identifier: Apache-2.0
#include "gateway/guest_instances.h"

#include <chrono>

namespace sandgate::gateway {
namespace {

using modules::DeployedModule;

bool usable(const DeployedModule& module, const GuestInstance& instance, Nanoseconds now) {
  return instance.calls < module.options.reuse_calls_max &&
         now - instance.made < std::chrono::seconds(module.options.reuse_seconds_max);
}

}  // namespace

std::unique_ptr<GuestInstance> ExchangeInstances::take(const DeployedModule& module) {
  for (auto& [of, instance] : kept_) {
    if (of == &module) return std::move(instance);
  }
  return nullptr;
}

ExchangeInstances::~ExchangeInstances() {
  for (auto& [of, instance] : kept_) {
    if (instance != nullptr) home_->keep_restored(*of, std::move(instance), loop_->now());
  }
}

void ExchangeInstances::keep(const DeployedModule& module, std::unique_ptr<GuestInstance> instance, WarmInstances& home,
                             const Loop& loop) {
  home_ = &home;
  loop_ = &loop;
  for (auto& [of, place] : kept_) {
    if (of != &module) continue;
    place = std::move(instance);
    return;
  }
  kept_.emplace_back(&module, std::move(instance));
}

std::unique_ptr<GuestInstance> WarmInstances::take(const DeployedModule& module, Nanoseconds now) {
  if (version_ != store_.version()) drop_removed();
  for (auto at = kept_.begin(); at != kept_.end(); ++at) {
    if (at->module.get() != &module) continue;
    std::unique_ptr<GuestInstance> instance = std::move(at->instance);
    kept_.erase(at);
    if (usable(module, *instance, now)) return instance;
    // The others are older still.
    std::erase_if(kept_, [&module](const Kept& kept) { return kept.module.get() == &module; });
    return nullptr;
  }
  return nullptr;
}

void WarmInstances::keep(const DeployedModule& module, std::unique_ptr<GuestInstance> instance, Nanoseconds now) {
  if (version_ != store_.version()) drop_removed();
  if (instances_max_ == 0 || module.removed.load() || !usable(module, *instance, now)) return;
  if (kept_.size() >= instances_max_) kept_.pop_back();
  kept_.push_front({module.shared_from_this(), std::move(instance)});
}

void WarmInstances::keep_restored(const DeployedModule& module, std::unique_ptr<GuestInstance> instance,
                                  Nanoseconds now) {
  if (instances_max_ != 0 && instance->instance->restore()) keep(module, std::move(instance), now);
}

// What was removed from the store needs no instances; what still runs on one is not in the list.
void WarmInstances::drop_removed() {
  version_ = store_.version();
  std::erase_if(kept_, [](const Kept& kept) { return kept.module->removed.load(); });
}

}  // namespace sandgate::gateway
