// SPDX-License-Identifier: Apache-2.0
//
// Random numbers that spread load and retries; anybody may predict them. One per loop; not thread-safe.
#pragma once

#include <cstdint>

namespace sandgate::gateway {

// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators): every bit of the
// input changes every bit of the output.
constexpr std::uint64_t mix_bits(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

class FastRandom {
 public:
  explicit FastRandom(std::uint64_t seed) : state_(mix_bits(seed + 1)) {}

  // Below `bound`; 0 when that is 0.
  std::uint64_t below(std::uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15U;
    return (mix_bits(state_) >> 32) * bound >> 32;
  }

 private:
  std::uint64_t state_;
};

}  // namespace sandgate::gateway
