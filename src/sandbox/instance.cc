// SPDX-License-Identifier: Apache-2.0
#include "sandbox/instance.h"

#include <utility>

#include "sandbox/engine_error.h"
#include "sandbox/instance_host.h"
#include "sandbox/run_queue.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {
namespace {

std::uint64_t to_ns(Milliseconds time) {
  return time.count() <= 0 ? 0 : static_cast<std::uint64_t>(Nanoseconds(time).count());
}

}  // namespace

Instance::Instance(sg_instance* instance, Milliseconds wall, std::uint64_t token)
    : instance_(instance), wall_(wall), token_(token) {}

std::expected<Instance, GuestFailure> Instance::create(const Module& module, const Budget& budget, RunQueue& queue,
                                                       InstanceHost* host) {
  sg_budget limits{};
  limits.memory_bytes = budget.memory_bytes;
  limits.wall_ns = to_ns(budget.wall);
  limits.cpu_ns = to_ns(budget.cpu);
  limits.output_bytes = budget.output_bytes;
  std::uint64_t token = queue.new_token();
  sg_instance* instance = nullptr;
  if (sg_error* error = ::sg_instance_new(module.handle(), &limits, token, host, &instance)) {
    return std::unexpected(take_failure(error));
  }
  return Instance(instance, budget.wall, token);
}

Instance::Instance(Instance&& other) noexcept
    : instance_(std::exchange(other.instance_, nullptr)), wall_(other.wall_), token_(other.token_) {}

Instance::~Instance() { ::sg_instance_drop(instance_); }

bool Instance::restore() { return ::sg_instance_restore(instance_); }

std::uint64_t Instance::memory_peak_bytes() const { return ::sg_instance_memory_peak(instance_); }

Nanoseconds Instance::busy() const { return Nanoseconds(static_cast<std::int64_t>(::sg_instance_busy_ns(instance_))); }

}  // namespace sandgate::sandbox
