// SPDX-License-Identifier: Apache-2.0
//
// Nanoseconds per head: parse, normalise, write, of a request with ten fields as a browser sends them; whole and byte
// by byte.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "http/head_parser.h"
#include "http/head_writer.h"
#include "http/hop_by_hop.h"
#include "http/target.h"

namespace {

using namespace sandgate;

constexpr std::string_view kRequest =
    "GET /v1/models/list?limit=20&after=abc HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "Connection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n"
    "Authorization: Bearer "
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U\r\n"
    "X-Request-Id: 7b0c1e6e-3f4e-4c9a-9b1e-2f6d5a4c3b2a\r\n"
    "Cache-Control: no-cache\r\n"
    "\r\n";

volatile std::size_t sink;

double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The best of many short runs, in CPU time of the thread: the machine may be shared.
template <typename Work>
void measure(const char* name, int rounds, double units, Work&& work) {
  constexpr int kRuns = 100;
  double best = 1e300;
  for (int run = 0; run < kRuns; ++run) {
    const double begin = cpu_ns();
    for (int i = 0; i < rounds; ++i) work();
    best = std::min(best, (cpu_ns() - begin) / rounds / units);
  }
  std::printf("%-46s %8.1f ns\n", name, best);
}

}  // namespace

int main() {
  Arena arena;
  http::RequestParser parser;
  http::BodyFraming framing;
  std::printf("request head of %zu bytes, 10 fields\n", kRequest.size());
  measure("parse", 5000, 1, [&] {
    arena.reset();
    http::RequestHead head(arena);
    sink = parser.parse(kRequest, head, framing).consumed;
  });
  measure("parse, normalise, hop-by-hop", 5000, 1, [&] {
    arena.reset();
    http::RequestHead head(arena);
    sink = parser.parse(kRequest, head, framing).consumed;
    sink = http::normalise_path(head.path, arena)->size();
    http::remove_hop_by_hop(head.fields);
  });
  std::string out;
  measure("parse, normalise, hop-by-hop, write", 5000, 1, [&] {
    arena.reset();
    http::RequestHead head(arena);
    sink = parser.parse(kRequest, head, framing).consumed;
    sink = http::normalise_path(head.path, arena)->size();
    http::remove_hop_by_hop(head.fields);
    out.clear();
    http::write_request_head(out, head, framing, http::ConnectionOption::kImplied);
    sink = out.size();
  });
  measure("parse byte by byte", 500, 1, [&] {
    arena.reset();
    http::RequestHead head(arena);
    for (std::size_t size = 1; size <= kRequest.size(); ++size)
      sink = parser.parse(kRequest.substr(0, size), head, framing).consumed;
  });
  std::string large = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(32000, 'x') + "\r\n\r\n";
  measure("parse a head of 32 kB byte by byte, per byte", 1, static_cast<double>(large.size()), [&] {
    arena.reset();
    http::RequestHead head(arena);
    for (std::size_t size = 1; size <= large.size(); ++size)
      sink = parser.parse(std::string_view(large).substr(0, size), head, framing).consumed;
  });
  measure("parse a head of 32 kB whole", 200, 1, [&] {
    arena.reset();
    http::RequestHead head(arena);
    sink = parser.parse(large, head, framing).consumed;
  });
  http::ResponseHead response(arena);
  response.fields.add("Content-Type", "application/json");
  response.fields.add("Server", "sandgate");
  measure("write a response head", 5000, 1, [&] {
    out.clear();
    http::write_response_head(out, response, {http::BodyFraming::Kind::kLength, 1234}, http::ConnectionOption::kImplied,
                              "Sun, 06 Nov 1994 08:49:37 GMT");
    sink = out.size();
  });
  return 0;
}
