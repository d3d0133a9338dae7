// SPDX-License-Identifier: Apache-2.0
//
// For guests that lie: the hooks as the canonical ABI sees them, without the SDK's Action in between. The hook returns
// the address that the host will read the action from.
#pragma once

#include <sandgate/guest/canonical.h>
#include <sandgate/guest/runtime.h>

#include <cstdint>
#include <string_view>

// RAW_ON_REQUEST(query) { return address; }
#define RAW_ON_REQUEST(query)                                                                                       \
  static std::uint32_t raw_on_request(std::string_view query);                                                      \
  extern "C" [[clang::export_name("sgl:router/middleware-on-request#on-request")]] std::uint32_t raw_request_entry( \
      const char*, std::uint32_t, const char*, std::uint32_t, const char* at, std::uint32_t size, const void*,      \
      std::uint32_t, const char*, std::uint32_t, const char*, std::uint32_t, std::uint64_t) {                       \
    return raw_on_request({at, size});                                                                              \
  }                                                                                                                 \
  static std::uint32_t raw_on_request([[maybe_unused]] std::string_view query)

// RAW_ON_RESPONSE() { return address; }
#define RAW_ON_RESPONSE()                                                                                              \
  static std::uint32_t raw_on_response();                                                                              \
  extern "C" [[clang::export_name("sgl:router/middleware-on-response#on-response")]] std::uint32_t raw_response_entry( \
      std::uint32_t, const void*, std::uint32_t, const char*, std::uint32_t) {                                         \
    return raw_on_response();                                                                                          \
  }                                                                                                                    \
  static std::uint32_t raw_on_response()

inline std::uint32_t address_of(const void* object) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(object));
}
