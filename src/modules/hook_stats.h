// SPDX-License-Identifier: Apache-2.0
//
// What is counted about one hook of one module. Written by all loops (relaxed atomics), read by reports.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/loop.h"
#include "sandbox/failure.h"

namespace sandgate::modules {

// How a call ended: what the guest decided, or the kind of its failure.
enum class Decision : unsigned char { kContinue, kReject, kModify };
inline constexpr std::array<std::string_view, 3> kDecisionNames = {"continue", "reject", "modify"};

struct alignas(64) HookStats {
  struct Bound {
    std::int64_t ns;
    std::string_view seconds;  // as the label is written
  };
  // From a call that only looks at a field to one that uses up the longest time there may be.
  static constexpr std::array<Bound, 14> kBounds = {{{10'000, "0.00001"},
                                                     {25'000, "0.000025"},
                                                     {50'000, "0.00005"},
                                                     {100'000, "0.0001"},
                                                     {250'000, "0.00025"},
                                                     {500'000, "0.0005"},
                                                     {1'000'000, "0.001"},
                                                     {2'500'000, "0.0025"},
                                                     {10'000'000, "0.01"},
                                                     {50'000'000, "0.05"},
                                                     {250'000'000, "0.25"},
                                                     {1'000'000'000, "1"},
                                                     {10'000'000'000, "10"},
                                                     {300'000'000'000, "300"}}};

  void decided(Decision decision, Nanoseconds duration) noexcept {
    add(decisions[static_cast<std::size_t>(decision)], 1);
    took(duration);
  }
  void failed(sandbox::FailureKind kind, Nanoseconds duration) noexcept {
    add(failures[static_cast<std::size_t>(kind)], 1);
    took(duration);
  }
  // Not run: nobody's call took time.
  void not_run(sandbox::FailureKind kind) noexcept { add(failures[static_cast<std::size_t>(kind)], 1); }
  void used_memory(std::uint64_t bytes) noexcept {
    std::uint64_t seen = memory_peak_bytes.load(std::memory_order_relaxed);
    while (bytes > seen && !memory_peak_bytes.compare_exchange_weak(seen, bytes, std::memory_order_relaxed)) {}
  }
  void waited(Nanoseconds time) noexcept {
    add(waits, 1);
    add(waited_ns, static_cast<std::uint64_t>(time.count()));
  }

  using Number = std::atomic<std::uint64_t>;
  std::array<Number, kDecisionNames.size()> decisions{};
  std::array<Number, sandbox::kFailureKinds> failures{};
  std::array<Number, kBounds.size() + 1> buckets{};  // what is at most the bound and above the one before
  Number sum_ns{0};
  Number memory_peak_bytes{0};  // of one instance
  Number waits{0};              // calls that waited for a free place
  Number waited_ns{0};
  Number instances{0};  // that exist now; one that several hooks share counts at the hook it was made for

 private:
  static void add(Number& number, std::uint64_t amount) noexcept {
    number.fetch_add(amount, std::memory_order_relaxed);
  }
  void took(Nanoseconds duration) noexcept {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && duration.count() > kBounds[bucket].ns) ++bucket;
    add(buckets[bucket], 1);
    add(sum_ns, static_cast<std::uint64_t>(duration.count()));
  }
};

// Counts one instance for as long as it exists. The stats outlive it.
class CountedInstance {
 public:
  explicit CountedInstance(HookStats& stats) noexcept : stats_(stats) {
    stats_.instances.fetch_add(1, std::memory_order_relaxed);
  }
  CountedInstance(const CountedInstance&) = delete;
  CountedInstance& operator=(const CountedInstance&) = delete;
  ~CountedInstance() { stats_.instances.fetch_sub(1, std::memory_order_relaxed); }

 private:
  HookStats& stats_;
};

}  // namespace sandgate::modules
