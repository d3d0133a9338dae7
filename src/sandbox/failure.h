// SPDX-License-Identifier: Apache-2.0
//
// Why a guest call failed. Traps and exhausted budgets are values; they end the instance, never the server.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sandgate::sandbox {

enum class FailureKind : unsigned char {
  kTrap,         // the guest trapped
  kDeadline,     // wall time used up
  kCpu,          // CPU time used up
  kMemory,       // wanted more memory than its budget and failed
  kStack,        // stack exhausted
  kExit,         // called exit
  kBadResult,    // the result breaks the canonical ABI
  kInvalidEdit,  // the result is no valid HTTP (field name or value, status)
  kTooLarge,     // result or body over its limit
  kCapacity,     // no instance free
  kCancelled,    // the exchange ended first; not the module's fault
  kInternal,
};
inline constexpr std::size_t kFailureKinds = static_cast<std::size_t>(FailureKind::kInternal) + 1;

// Stable names for logs and metric labels: "trap", "deadline", ...
std::string_view failure_kind_name(FailureKind kind);

struct GuestFailure {
  FailureKind kind = FailureKind::kInternal;
  // For the log; may name the trap ("unreachable"). Never shown to clients.
  std::string detail;
};

}  // namespace sandgate::sandbox
