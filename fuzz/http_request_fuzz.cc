// SPDX-License-Identifier: Apache-2.0
//
// The first byte says where the stream is cut; the rest is a stream of requests. It is understood the same whole and
// cut, and a head that was accepted is, written by our writer, read as the same head with the same framing.
#include <cstdint>
#include <string>

#include "http/head_parser.h"
#include "http/head_writer.h"
#include "http/testing/transcript.h"

namespace {

using namespace sandgate;
using namespace sandgate::http::testing;

// Tight, so that short inputs reach them.
constexpr http::HeadLimits kLimits = {.start_line_bytes = 64, .head_bytes = 256, .fields = 8};
// What the writer adds to a head at its limit.
constexpr http::HeadLimits kWider = {.start_line_bytes = 128, .head_bytes = 1024, .fields = 16};

std::string written(const http::RequestHead& head, http::BodyFraming framing) {
  std::string out;
  http::write_request_head(out, head, framing, http::ConnectionOption::kImplied);
  return out;
}

void check_written_again(std::string_view bytes) {
  Arena arena;
  http::RequestHead head(arena);
  http::BodyFraming framing;
  if (http::RequestParser(kLimits).parse(bytes, head, framing).kind != http::HeadResult::Kind::kDone) return;
  const std::string once = written(head, framing);
  http::RequestHead again(arena);
  http::BodyFraming framing_again;
  const http::HeadResult result = http::RequestParser(kWider).parse(once, again, framing_again);
  if (head.authority.empty()) {
    // HTTP/1.0 without Host: the writer can only write an empty one.
    SANDGATE_CHECK(result.kind == http::HeadResult::Kind::kRefused);
    return;
  }
  SANDGATE_CHECK(result.kind == http::HeadResult::Kind::kDone);
  SANDGATE_CHECK(result.consumed == once.size());
  SANDGATE_CHECK(again.method == head.method && again.path == head.path && again.query == head.query);
  SANDGATE_CHECK(again.has_query == head.has_query && again.authority == head.authority);
  SANDGATE_CHECK(framing.kind == http::BodyFraming::Kind::kNone || framing_again == framing);
  SANDGATE_CHECK(written(again, framing_again) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = read_whole(RequestSide(kLimits), bytes);
  SANDGATE_CHECK(read_split(RequestSide(kLimits), bytes, data[0] % size) == whole);
  SANDGATE_CHECK(read_bytewise(RequestSide(kLimits), bytes) == whole);
  check_written_again(bytes);
  return 0;
}
