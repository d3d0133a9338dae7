// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

namespace sandgate::http {

bool RequestHead::is_idempotent() const {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" ||
         method == "TRACE";
}

}  // namespace sandgate::http
