// SPDX-License-Identifier: Apache-2.0
//
// Where the instance of a call comes from and where it goes afterwards: made for the call, kept for the other hooks of
// the exchange, or kept by the loop for other exchanges (modules::InstanceMode). Instances whose guest can be put back
// to what it was in the beginning are kept by the loop in all modes: that costs less than a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "gateway/guest_context.h"
#include "gateway/middleware_calls.h"
#include "modules/module_store.h"
#include "sandbox/instance.h"

namespace sandgate::gateway {

// An instance and what it knows of the exchange it works for. Stays where it is made: the engine keeps a pointer to the
// context.
struct GuestInstance {
  GuestInstance(const GuestServices& services, const HookCall& call, const sandbox::Budget& budget,
                sandbox::RunQueue& queue, Nanoseconds now)
      : counted(call.module.stats(call.point)),
        context(services, call.module, call.exchange.loop().index()),
        instance(sandbox::Instance::create(*call.module.module, budget, queue, &context)),
        made(now) {}
  GuestInstance(const GuestInstance&) = delete;
  GuestInstance& operator=(const GuestInstance&) = delete;

  modules::CountedInstance counted;
  GuestContext context;
  std::expected<sandbox::Instance, sandbox::GuestFailure> instance;
  Nanoseconds made;
  std::uint32_t calls = 0;
};

class WarmInstances;

// Kept instances of one exchange. Lives in the frame that serves it, on the loop's thread; in the end gives back what
// can be made as new.
class ExchangeInstances {
 public:
  ExchangeInstances() = default;
  ExchangeInstances(const ExchangeInstances&) = delete;
  ExchangeInstances& operator=(const ExchangeInstances&) = delete;
  ~ExchangeInstances();

  // Null when there is none. The caller owns it until it is kept again.
  std::unique_ptr<GuestInstance> take(const modules::DeployedModule& module);
  // `home` and `loop` outlive this.
  void keep(const modules::DeployedModule& module, std::unique_ptr<GuestInstance> instance, WarmInstances& home,
            const Loop& loop);

 private:
  WarmInstances* home_ = nullptr;
  const Loop* loop_ = nullptr;
  // By the module's identity; the snapshot of the exchange keeps it alive. A handful at most.
  std::vector<std::pair<const modules::DeployedModule*, std::unique_ptr<GuestInstance>>> kept_;
};

// Kept instances of one loop, the latest first. Loop thread only.
class WarmInstances {
 public:
  // `store` outlives this. Keeps at most `instances_max`, of all modules together.
  WarmInstances(const modules::ModuleStore& store, std::size_t instances_max)
      : store_(store), instances_max_(instances_max) {}

  // Null when there is none that may still be used.
  std::unique_ptr<GuestInstance> take(const modules::DeployedModule& module, Nanoseconds now);
  // Drops the one that was used longest ago when there is no room, and this one when it is spent by its own limits or
  // its module was removed meanwhile.
  void keep(const modules::DeployedModule& module, std::unique_ptr<GuestInstance> instance, Nanoseconds now);
  // The same for one that must know nothing of its calls (sandbox::Instance::restore), or it is dropped.
  void keep_restored(const modules::DeployedModule& module, std::unique_ptr<GuestInstance> instance, Nanoseconds now);
  std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    std::shared_ptr<const modules::DeployedModule> module;  // what the instance refers to
    std::unique_ptr<GuestInstance> instance;
  };
  void drop_removed();

  const modules::ModuleStore& store_;
  const std::size_t instances_max_;
  std::uint64_t version_ = 0;
  std::list<Kept> kept_;
};

}  // namespace sandgate::gateway
