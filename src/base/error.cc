// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace sandgate {

std::string_view error_kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return "invalid";
    case ErrorKind::kDenied: return "denied";
    case ErrorKind::kNotFound: return "not_found";
    case ErrorKind::kTooLarge: return "too_large";
    case ErrorKind::kOverloaded: return "overloaded";
    case ErrorKind::kTimedOut: return "timed_out";
    case ErrorKind::kDisconnected: return "disconnected";
    case ErrorKind::kUpstream: return "upstream";
    case ErrorKind::kGuestFault: return "guest_fault";
    case ErrorKind::kUnsupported: return "unsupported";
    case ErrorKind::kInternal: return "internal";
  }
  return "internal";
}

}  // namespace sandgate
