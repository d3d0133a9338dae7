// SPDX-License-Identifier: Apache-2.0
//
// Has a global constructor that allocates and a std::string, and needs both on its first and on every later call.
#include <sandgate/middleware.h>
#include <sandgate/string.h>

using namespace sandgate::guest;

static std::string greeting = [] {
  std::string text(40, '-');
  text += "made by a constructor";
  return text;
}();

static Action on_request(const Request& request) {
  const std::string value = greeting + " for " + std::string(request.path);
  return proceed().set_header("x-greeting", value);
}
SANDGATE_ON_REQUEST(on_request)
