// SPDX-License-Identifier: Apache-2.0
//
// Strict parsing of HTTP/1 heads (RFC 9112). Bytes in, a head out; no I/O, no exceptions. Nothing is repaired: what two
// implementations could read differently is refused. Incremental: the caller keeps the unparsed bytes in one buffer,
// appends, and asks again; bytes already searched for the end of the head are not searched twice. The head is copied
// into the arena once; the buffer may be reused at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/head_search.h"
#include "http/limits.h"
#include "http/message.h"

namespace sandgate::http {

// Why a head was refused: the status to answer with, and a sentence that says what is wrong (no bytes of the message in
// it).
struct Refusal {
  int status = 400;  // 400, 414, 431, 501, 505; for responses always 502
  std::string_view reason;
};

struct HeadResult {
  enum class Kind : unsigned char { kNeedMore, kDone, kRefused };
  Kind kind = Kind::kNeedMore;
  std::size_t consumed = 0;  // kDone: bytes of the head, including the empty line; the body begins there
  Refusal refusal;
};

// A request head with all checks that need no configuration: start line (method token, single spaces, target bytes
// 0x21-0x7e without '#', HTTP/1.x), field lines (token, colon, no obs-fold, no bare CR or LF, valid values), exactly
// one valid Host in 1.1 (and at most one in 1.0; an absolute-form target's authority wins and replaces the field's
// value), framing (Content-Length or Transfer-Encoding: chunked, never both, never twice; no Transfer-Encoding in 1.0;
// other codings 501), Host and target forms per method. One empty line before the request line is skipped. HTTP/2 and
// other majors: 505.
class RequestParser {
 public:
  explicit RequestParser(HeadLimits limits = {}) : limits_(limits) {}

  // `buffer` holds everything received and not consumed. On kDone fills `head` (path as received; normalise with
  // target.h) and `framing`, and is ready for the next head. `head.scheme` is set by an absolute-form target only: else
  // it is the connection's, which the caller knows.
  HeadResult parse(std::string_view buffer, RequestHead& head, BodyFraming& framing);
  // Forgets an unfinished or refused head.
  void reset() { search_.reset(); }
  // Whether any byte of a request has been seen since the last head (tells an idle connection from a slow head). A
  // leading empty line is none.
  bool started() const { return search_.started(); }

 private:
  HeadLimits limits_;
  HeadSearch search_;
};

// A response head from an upstream. The framing depends on the request's method (HEAD, CONNECT) and the status. Both
// Content-Length and Transfer-Encoding, or any malformed framing, are refused: such an upstream cannot be trusted with
// a connection. `kDone` for 1xx too.
class ResponseParser {
 public:
  explicit ResponseParser(HeadLimits limits = {}) : limits_(limits) {}

  HeadResult parse(std::string_view buffer, std::string_view request_method, ResponseHead& head, BodyFraming& framing);
  void reset() { search_.reset(); }

 private:
  HeadLimits limits_;
  HeadSearch search_;
};

// The value of a Content-Length field: 1 to 18 digits and nothing else. For HEAD and 304, whose framing is kNone but
// whose field is passed on.
std::optional<std::uint64_t> parse_content_length(std::string_view value);

// Whether the connection stays open after this message (RFC 9112 section 9.3): Connection: close / keep-alive and the
// version.
bool wants_keep_alive(const Fields& fields, int minor_version);

}  // namespace sandgate::http
