// SPDX-License-Identifier: Apache-2.0
//
// One running instance: a store with its budget. Belongs to one loop; at most one call at a time. After a failure it is
// spent. Nothing of the guest runs before the first poll (run_queue.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>

#include "base/loop.h"
#include "sandbox/failure.h"
#include "sandbox/module.h"

struct sg_instance;

namespace sandgate::sandbox {

// What one call may use. Zero for cpu means no limit.
struct Budget {
  std::uint64_t memory_bytes = kMemoryPagesDefault * kWasmPageBytes;  // over all memories of the instance
  Milliseconds wall = kExecutionTimeDefault;
  Milliseconds cpu{0};
  std::uint64_t output_bytes =
      10 * 1024 * 1024;  // lifted out of the guest in one call; the engine adds room for fields
};

class RunQueue;
class InstanceHost;

class Instance {
 public:
  // `host` serves what the guest asks; null: its lines are dropped and it has no stores. `host` and `queue` outlive the
  // instance. kCapacity when the pool is used up (then, or by the first poll).
  static std::expected<Instance, GuestFailure> create(const Module& module, const Budget& budget, RunQueue& queue,
                                                      InstanceHost* host);
  Instance(Instance&& other) noexcept;
  Instance& operator=(Instance&&) = delete;
  ~Instance();  // cancels what runs

  // After a call that is done: puts the guest back to what it was when it was made, so that the next call finds nothing
  // of those before. False when that is not possible; then only the end of the instance makes the guest forget.
  bool restore();

  std::uint64_t memory_peak_bytes() const;
  // Time spent inside polls of the current or last call.
  Nanoseconds busy() const;
  // Of one call, from its first poll.
  Milliseconds wall_budget() const { return wall_; }
  std::uint64_t token() const { return token_; }
  sg_instance* handle() const { return instance_; }

 private:
  Instance(sg_instance* instance, Milliseconds wall, std::uint64_t token);

  sg_instance* instance_;
  Milliseconds wall_;
  std::uint64_t token_;
};

}  // namespace sandgate::sandbox
