// SPDX-License-Identifier: Apache-2.0
#include "sandbox/failure.h"

namespace sandgate::sandbox {

std::string_view failure_kind_name(FailureKind kind) {
  switch (kind) {
    case FailureKind::kTrap: return "trap";
    case FailureKind::kDeadline: return "deadline";
    case FailureKind::kCpu: return "cpu";
    case FailureKind::kMemory: return "memory";
    case FailureKind::kStack: return "stack";
    case FailureKind::kExit: return "exit";
    case FailureKind::kBadResult: return "bad_result";
    case FailureKind::kInvalidEdit: return "invalid_edit";
    case FailureKind::kTooLarge: return "too_large";
    case FailureKind::kCapacity: return "capacity";
    case FailureKind::kCancelled: return "cancelled";
    case FailureKind::kInternal: return "internal";
  }
  return "internal";
}

}  // namespace sandgate::sandbox
