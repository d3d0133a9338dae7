// SPDX-License-Identifier: Apache-2.0
//
// The upstream gets the request body in upper case, the client the response body.
#include <sandgate/middleware.h>

using namespace sandgate::guest;

static std::string_view upper(std::string_view text) {
  char* const copy = allocate_text(text.size());
  for (std::size_t i = 0; i != text.size(); ++i) copy[i] = ascii_upper(text[i]);
  return {copy, text.size()};
}
static Action on_request(const Request& request) { return proceed().body(upper(request.body)); }
static Action on_response(const Response& response) { return proceed().body(upper(response.body)); }
SANDGATE_ON_REQUEST(on_request)
SANDGATE_ON_RESPONSE(on_response)
