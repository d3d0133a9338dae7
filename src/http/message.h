// SPDX-License-Identifier: Apache-2.0
//
// The heads of messages in parts that do not depend on the HTTP version. All text is views into the arena of `fields`.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field.h"

namespace sandgate::http {

struct RequestHead {
  explicit RequestHead(Arena& arena) : fields(arena) {}

  std::string_view method;
  std::string_view scheme = "http";
  std::string_view authority;  // from an absolute-form target, else from Host; validated; as the client sent it
  std::string_view path;  // begins with '/', or is "*" (OPTIONS), or empty (CONNECT); see target.h for the one spelling
  std::string_view query;  // without '?'
  bool has_query = false;  // tells "/a?" from "/a"
  int minor_version = 1;   // of HTTP/1.x; anything above 1 is served as 1
  Fields fields;           // with Host; framing fields included as received

  bool is_head() const { return method == "HEAD"; }
  bool is_connect() const { return method == "CONNECT"; }
  // Methods that may be repeated without harm (RFC 9110 section 9.2.2).
  bool is_idempotent() const;
};

struct ResponseHead {
  explicit ResponseHead(Arena& arena) : fields(arena) {}

  int status = 200;
  int minor_version = 1;
  Fields fields;
};

// How a message's body is delimited (RFC 9112 section 6.3).
struct BodyFraming {
  enum class Kind : unsigned char {
    kNone,    // no body
    kLength,  // exactly `length` bytes, may be 0
    kChunked,
    kUntilClose,  // responses only
  };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;

  bool operator==(const BodyFraming&) const = default;
};

// Statuses whose responses never have a body: 1xx, 204, 304 (RFC 9110 section 6.4.1).
constexpr bool status_forbids_body(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace sandgate::http
