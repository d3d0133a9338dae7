// SPDX-License-Identifier: Apache-2.0
//
// Headers of the PROXY protocol. What is done is done within its bounds, is not decided by what follows it, and needs
// every byte of it; what is malformed stays so; a header that needs more is below the bounds.

// fuzz-links: net

#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/testing/guarded_input.h"
#include "net/proxy_protocol.h"

namespace {

using namespace sandgate;
using Kind = net::ProxyHeaderResult::Kind;

net::ProxyHeaderResult parse(std::string_view text) {
  static http::testing::GuardedInput input(8192);
  return net::parse_proxy_header(input.place(text));
}

void check_done(std::string_view text, const net::ProxyHeaderResult& result) {
  SANDGATE_CHECK(result.consumed <= text.size());
  SANDGATE_CHECK(result.consumed <= (text.front() == 'P' ? net::kProxyLineBytesMax : net::kProxyHeaderBytesMax));
  const net::ProxyHeaderResult alone = parse(text.substr(0, result.consumed));
  SANDGATE_CHECK(alone.kind == Kind::kDone && alone.consumed == result.consumed);
  SANDGATE_CHECK(alone.header.client == result.header.client);
  SANDGATE_CHECK(alone.header.source.text() == result.header.source.text());
  for (std::size_t cut = 0; cut < result.consumed; ++cut)
    SANDGATE_CHECK(parse(text.substr(0, cut)).kind == Kind::kMore);
  if (result.header.client == net::ProxyHeader::Client::kTold) {
    SANDGATE_CHECK(!result.header.source.host_text().empty() && !result.header.destination.host_text().empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const net::ProxyHeaderResult result = parse(text);
  if (result.kind == Kind::kDone) check_done(text, result);
  if (result.kind == Kind::kMore) SANDGATE_CHECK(size < net::kProxyHeaderBytesMax);
  if (result.kind == Kind::kMalformed) SANDGATE_CHECK(parse(text + "\r\n").kind == Kind::kMalformed);
  return 0;
}
