// SPDX-License-Identifier: Apache-2.0
//
// The engine's errors in our words. Both functions take ownership of the error, which is not null.
#pragma once

#include <string_view>

#include "base/error.h"
#include "sandbox/failure.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {

inline sg_bytes to_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view to_text(sg_bytes bytes) {
  return bytes.len == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(bytes.data), bytes.len);
}

// Of a call.
GuestFailure take_failure(sg_error* error);
// Of compiling and loading: kInvalid with the engine's text as detail when the module is at fault, kDenied when it
// imports what it was not granted, else kInternal with the text as cause.
Error take_error(sg_error* error);
// The same from the parts of an error that crossed a process border.
Error to_error(sg_error_kind kind, std::string_view message);

}  // namespace sandgate::sandbox
