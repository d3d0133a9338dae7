// SPDX-License-Identifier: Apache-2.0
#include "gateway/request_id.h"

#include <algorithm>
#include <span>

namespace sandgate::gateway {

bool is_request_id(std::string_view text) {
  if (text.empty() || text.size() > kRequestIdBytesMax) return false;
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

void assign_request_id(Exchange& exchange, platform::RequestIds& ids) {
  http::Fields& fields = exchange.request.fields;
  std::string_view received;
  std::size_t count = 0;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kXRequestId) continue;
    received = field.value;
    ++count;
  }
  if (count == 1 && is_request_id(received)) {
    exchange.id = received;
    return;
  }
  if (count > 0) fields.remove(http::FieldId::kXRequestId);
  std::span<char> made = exchange.arena().allocate_array<char>(platform::RequestIds::kLength);
  ids.next(made.data());
  exchange.id = {made.data(), made.size()};
  fields.add({kRequestIdField, exchange.id, http::FieldId::kXRequestId});
}

}  // namespace sandgate::gateway
