// SPDX-License-Identifier: Apache-2.0
//
// Errors that happen are values. `Error` is classified by what the caller should do about it, not by where it arose;
// one place in exchange/problem.h maps the kinds to HTTP statuses. `detail` is for people who operate the server and
// may be shown to clients; `cause` (paths, system errors, backtraces) goes to the log only. Bugs are not errors: see
// check.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sandgate {

enum class ErrorKind : unsigned char {
  kInvalid,       // the input is wrong; sending it again will not help
  kDenied,        // a policy or capability says no
  kNotFound,      // no such thing
  kTooLarge,      // over a limit that the caller can respect
  kOverloaded,    // no room now; later may do
  kTimedOut,      // a deadline passed
  kDisconnected,  // the peer went away
  kUpstream,      // an upstream broke its contract
  kGuestFault,    // a module failed
  kUnsupported,   // understood, but not served here
  kInternal,      // ours, or the operating system's
};

// Stable lower-case name of a kind, used in logs and in the `error` member of problem bodies.
std::string_view error_kind_name(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string detail;
  std::string cause;

  Error(ErrorKind error_kind, std::string error_detail) : kind(error_kind), detail(std::move(error_detail)) {}
  Error(ErrorKind error_kind, std::string error_detail, std::string error_cause)
      : kind(error_kind), detail(std::move(error_detail)), cause(std::move(error_cause)) {}
};

}  // namespace sandgate
