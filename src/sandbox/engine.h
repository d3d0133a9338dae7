// SPDX-License-Identifier: Apache-2.0
//
// The wasm engine of the process: the pool of memories and fibers, the epoch ticker, and the road by which a guest that
// waits is woken on its own loop. One per server, made before the loops run and destroyed after they ended.
// Thread-safe. Knows no HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "base/result.h"

struct sg_engine;

namespace sandgate::sandbox {

// Defaults of the seed (requirements row 4-29).
inline constexpr std::uint64_t kWasmPageBytes = 65536;
inline constexpr std::uint64_t kMemoryPagesDefault = 1024;
inline constexpr Milliseconds kExecutionTimeDefault{1000};
inline constexpr std::uint64_t kStackBytesDefault = 1024 * 1024;
// Live instances of the process. Each costs 12 KiB when small; address space is reserved for all.
inline constexpr std::uint32_t kInstancesMaxDefault = 1000;

struct EngineOptions {
  std::uint64_t memory_bytes_max = kMemoryPagesDefault * kWasmPageBytes;
  std::uint64_t stack_bytes = kStackBytesDefault;
  std::uint32_t instances_max = kInstancesMaxDefault;
  bool for_compiling = false;  // the compiler process: no pool, no ticker
};

// Who is told, on its loop's thread, that a waiting guest should be polled again.
class WakeTarget {
 public:
  virtual ~WakeTarget() = default;
  virtual void wake(std::uint64_t token) = 0;
};

class Ticker;

class Engine {
 public:
  // A token is the loop's index and a number of that loop.
  static constexpr unsigned kTokenIndexShift = 48;
  // Far more than any machine has cores; bounds a table of pointers.
  static constexpr unsigned kLoopsMax = 1024;

  // kInvalid when an option is out of its range (the detail says which); kInternal when address space for the pool
  // cannot be had (the detail says what to lower).
  static Result<std::unique_ptr<Engine>> create(const EngineOptions& options);
  virtual ~Engine() = default;

  // Before guests run on a loop: gives wakes their way back. RunQueue::create does it, too. `loop` outlives the engine;
  // its index is below kLoopsMax.
  virtual void attach_loop(Loop& loop) = 0;
  // On each loop thread before its first guest.
  static void initialise_thread();

  // Changes whenever compiled code of another build or configuration must not be loaded.
  virtual std::string_view fingerprint() const = 0;
  // How it was set up, for the start-up log ("pooling, 1000 instances, pagemap scan on").
  virtual std::string_view description() const = 0;

  // For the other files of this folder only.
  virtual sg_engine* handle() const = 0;
  // Null in the compiler process.
  virtual Ticker* ticker() = 0;
  // On the thread of the loop, or while it does not run. Null ends it; later wakes are dropped.
  virtual void set_wake_target(unsigned loop_index, WakeTarget* target) = 0;
  virtual WakeTarget* wake_target(unsigned loop_index) const = 0;
};

}  // namespace sandgate::sandbox
