// SPDX-License-Identifier: Apache-2.0
//
// Middleware for Sandgate in C++: a request or response comes in, an Action goes out.
//
//   #include <sandgate/middleware.h>
//   using namespace sandgate::guest;
//
//   Action on_request(const Request& request) {
//     if (!request.header("x-api-key")) return reject(401);
//     return proceed().set_header("x-seen", "1");
//   }
//   SANDGATE_ON_REQUEST(on_request)
//
//   clang++-19 --config=sdk/cpp/guest.cfg guest.cc -o guest.wasm
//
// Lifetimes: every view in a Request or Response, and everything the SDK allocates, lives in the memory of the call,
// which is emptied when the host has read the Action. Never keep a view in a global. Texts given to an Action may be
// temporaries: what does not live in the memory of the call is copied there.
//
// Threads: a guest has one, and one call at a time. Errors: there are no exceptions; running out of memory traps, and
// the host applies the module's failure policy. Text in an Action must be UTF-8 and valid HTTP: the host checks, and
// a mistake counts as a failure of the module. Natively the header compiles too, without exports, so that a guest's
// functions can be unit-tested (sdk/cpp/test).
#pragma once

#include <cstdint>

#include <sandgate/guest/action.h>
#include <sandgate/guest/canonical.h>
#include <sandgate/guest/message.h>
#include <sandgate/guest/runtime.h>
#include <sandgate/guest/text.h>

// The WIT package whose world the guest exports. Define it before including this header for the renamed twins of the
// interface: "sgl:model-gateway" or "smg:gateway".
#if !defined(SANDGATE_PACKAGE)
#define SANDGATE_PACKAGE "sgl:router"
#endif

namespace sandgate::guest::detail {

// Where the host finds the answer. Valid until the next call enters.
inline constinit canonical::Action answer{.tag = canonical::Tag::proceed, .modify = {}};

inline const canonical::Action* give(const Action& action) {
  answer = action.lowered();
  return &answer;
}

}  // namespace sandgate::guest::detail

#if defined(__wasm__)

// Makes `function`, an Action(const Request&), the guest's request hook. Once per guest, outside of any namespace.
#define SANDGATE_ON_REQUEST(function)                                                                                  \
  extern "C" [[clang::export_name(SANDGATE_PACKAGE "/middleware-on-request#on-request")]]                              \
  const ::sandgate::guest::canonical::Action* sandgate_on_request(                                                     \
      const char* method, ::std::uint32_t method_size, const char* path, ::std::uint32_t path_size, const char* query, \
      ::std::uint32_t query_size, const ::sandgate::guest::canonical::Header* headers, ::std::uint32_t headers_size,   \
      const char* body, ::std::uint32_t body_size, const char* request_id, ::std::uint32_t request_id_size,            \
      ::std::uint64_t now_epoch_ms) {                                                                                  \
    ::sandgate::guest::detail::enter();                                                                                \
    const ::sandgate::guest::Request request{                                                                          \
        .method = {method, method_size},                                                                               \
        .path = {path, path_size},                                                                                     \
        .query = {query, query_size},                                                                                  \
        .headers = ::sandgate::guest::Headers({headers, headers_size}),                                                \
        .body = {body, body_size},                                                                                     \
        .request_id = {request_id, request_id_size},                                                                   \
        .now_epoch_ms = now_epoch_ms,                                                                                  \
    };                                                                                                                 \
    return ::sandgate::guest::detail::give(function(request));                                                         \
  }                                                                                                                    \
  extern "C" [[clang::export_name("cabi_post_" SANDGATE_PACKAGE "/middleware-on-request#on-request")]]                 \
  void sandgate_after_request(const ::sandgate::guest::canonical::Action*) {                                           \
    ::sandgate::guest::memory().reset();                                                                               \
  }

// Makes `function`, an Action(const Response&), the guest's response hook. Once per guest, outside of any namespace.
#define SANDGATE_ON_RESPONSE(function)                                                                           \
  extern "C" [[clang::export_name(SANDGATE_PACKAGE "/middleware-on-response#on-response")]]                      \
  const ::sandgate::guest::canonical::Action* sandgate_on_response(                                              \
      ::std::uint32_t status, const ::sandgate::guest::canonical::Header* headers, ::std::uint32_t headers_size, \
      const char* body, ::std::uint32_t body_size) {                                                             \
    ::sandgate::guest::detail::enter();                                                                          \
    const ::sandgate::guest::Response response{                                                                  \
        .status = static_cast<::std::uint16_t>(status),                                                          \
        .headers = ::sandgate::guest::Headers({headers, headers_size}),                                          \
        .body = {body, body_size},                                                                               \
    };                                                                                                           \
    return ::sandgate::guest::detail::give(function(response));                                                  \
  }                                                                                                              \
  extern "C" [[clang::export_name("cabi_post_" SANDGATE_PACKAGE "/middleware-on-response#on-response")]]         \
  void sandgate_after_response(const ::sandgate::guest::canonical::Action*) {                                    \
    ::sandgate::guest::memory().reset();                                                                         \
  }

#else

// Natively nothing is exported; only the signature is checked.
#define SANDGATE_ON_REQUEST(function)                                                                             \
  [[gnu::used]] static ::sandgate::guest::Action sandgate_on_request(const ::sandgate::guest::Request& request) { \
    return function(request);                                                                                     \
  }
#define SANDGATE_ON_RESPONSE(function)                                                                               \
  [[gnu::used]] static ::sandgate::guest::Action sandgate_on_response(const ::sandgate::guest::Response& response) { \
    return function(response);                                                                                       \
  }

#endif
