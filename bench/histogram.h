// SPDX-License-Identifier: Apache-2.0
//
// How often each duration occurred, to within one percent, in memory that does not grow: 128 buckets for each power of
// two of nanoseconds, as HdrHistogram has them. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sandgate::bench {

class Histogram {
 public:
  // Longer than any request may take; what is longer counts as this.
  static constexpr std::uint64_t kLongestNs = (std::uint64_t{1} << 37) - 1;

  void add(std::uint64_t ns) {
    ++counts_[bucket_of(std::min(ns, kLongestNs))];
    ++total_;
    longest_ns_ = std::max(longest_ns_, ns);
  }

  std::uint64_t total() const { return total_; }
  std::uint64_t longest_ns() const { return longest_ns_; }

  // The duration that `share` of all (0 to 1) do not exceed; 0 when there are none. The upper end of its bucket.
  std::uint64_t quantile_ns(double share) const {
    auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_) + 0.5);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen > 0 && seen >= wanted) return std::min(end_of(bucket), longest_ns_);
    }
    return longest_ns_;
  }

 private:
  static constexpr int kPrecisionBits = 7;
  static constexpr std::size_t kHalf = std::size_t{1} << kPrecisionBits;

  // Below 2 * kHalf each value has a bucket; above, the highest eight bits of a value name it.
  static std::size_t bucket_of(std::uint64_t ns) {
    int shift = std::max(0, static_cast<int>(std::bit_width(ns)) - kPrecisionBits - 1);
    return static_cast<std::size_t>(shift) * kHalf + static_cast<std::size_t>(ns >> shift);
  }
  static std::uint64_t end_of(std::size_t bucket) {
    if (bucket < 2 * kHalf) return bucket;
    std::size_t shift = bucket / kHalf - 1;
    return ((static_cast<std::uint64_t>(bucket - shift * kHalf) + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (37 - kPrecisionBits + 1) * kHalf> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t longest_ns_ = 0;
};

}  // namespace sandgate::bench
