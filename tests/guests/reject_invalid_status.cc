// SPDX-License-Identifier: Apache-2.0
//
// Rejects with the status in the query (?42, ?1000, ?199, ?600, ?0, ?65535), 42 without one.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static Action on_request(const Request& request) {
  unsigned status = 0;
  for (const char c : request.query) {
    if (c >= '0' && c <= '9') status = status * 10 + static_cast<unsigned>(c - '0');
  }
  return reject(static_cast<std::uint16_t>(request.query.empty() ? 42 : status));
}
SANDGATE_ON_REQUEST(on_request)
