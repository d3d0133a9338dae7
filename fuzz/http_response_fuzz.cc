// SPDX-License-Identifier: Apache-2.0
//
// The first byte chooses the request's method and where the stream is cut; the rest is a stream of responses. It is
// understood the same whole and cut, and a head that was accepted is, written by our writer, read as the same head with
// the same framing.
#include <cstdint>
#include <string>

#include "http/head_parser.h"
#include "http/head_writer.h"
#include "http/testing/transcript.h"

namespace {

using namespace sandgate;
using namespace sandgate::http::testing;

constexpr http::HeadLimits kLimits = {.start_line_bytes = 64, .head_bytes = 256, .fields = 8};
constexpr http::HeadLimits kWider = {.start_line_bytes = 128, .head_bytes = 1024, .fields = 16};
constexpr std::string_view kMethods[] = {"GET", "HEAD", "CONNECT", "POST"};

std::string written(const http::ResponseHead& head, http::BodyFraming framing) {
  std::string out;
  http::write_response_head(out, head, framing, http::ConnectionOption::kImplied, "");
  return out;
}

void check_written_again(std::string_view bytes, std::string_view method) {
  Arena arena;
  http::ResponseHead head(arena);
  http::BodyFraming framing;
  if (http::ResponseParser(kLimits).parse(bytes, method, head, framing).kind != http::HeadResult::Kind::kDone) return;
  const std::string once = written(head, framing);
  http::ResponseHead again(arena);
  http::BodyFraming framing_again;
  const http::HeadResult result = http::ResponseParser(kWider).parse(once, method, again, framing_again);
  SANDGATE_CHECK(result.kind == http::HeadResult::Kind::kDone);
  SANDGATE_CHECK(result.consumed == once.size());
  SANDGATE_CHECK(again.status == head.status);
  SANDGATE_CHECK(framing_again == framing);
  SANDGATE_CHECK(written(again, framing_again) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view method = kMethods[data[0] % 4];
  const std::string whole = read_whole(ResponseSide(method, kLimits), bytes);
  SANDGATE_CHECK(read_split(ResponseSide(method, kLimits), bytes, data[0] / 4 % size) == whole);
  SANDGATE_CHECK(read_bytewise(ResponseSide(method, kLimits), bytes) == whole);
  check_written_again(bytes, method);
  return 0;
}
