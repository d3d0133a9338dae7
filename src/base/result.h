// SPDX-License-Identifier: Apache-2.0
//
// Result<T> is a T or the Error that explains its absence. No exception crosses a folder border.
#pragma once

#include <expected>

#include "base/error.h"

namespace sandgate {

template <typename T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

// Makes the failed side of a Result: `return fail(ErrorKind::kInvalid, "port must be 1-65535");`
inline std::unexpected<Error> fail(ErrorKind kind, std::string detail) {
  return std::unexpected<Error>(std::in_place, kind, std::move(detail));
}
inline std::unexpected<Error> fail(ErrorKind kind, std::string detail, std::string cause) {
  return std::unexpected<Error>(std::in_place, kind, std::move(detail), std::move(cause));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace sandgate
