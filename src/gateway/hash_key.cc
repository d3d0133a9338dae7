// SPDX-License-Identifier: Apache-2.0
#include "gateway/hash_key.h"

#include "base/ascii.h"

namespace sandgate::gateway {
namespace {

// RFC 6265 section 4.2.1: name=value pairs, a semicolon between.
std::optional<std::string_view> cookie_of(const http::Fields& fields, std::string_view name) {
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kCookie) continue;
    std::string_view left = field.value;
    while (!left.empty()) {
      std::string_view pair = trimmed(left.substr(0, left.find(';')));
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
        return pair.substr(name.size() + 1);
      std::size_t end = left.find(';');
      left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> hash_key_of(const Exchange& exchange, const HashKey& key) {
  std::optional<std::string_view> found;
  switch (key.from) {
    case HashKey::From::kClientAddress: found = exchange.client; break;
    case HashKey::From::kField: found = exchange.request.fields.find(key.name); break;
    case HashKey::From::kCookie: found = cookie_of(exchange.request.fields, key.name); break;
  }
  if (found && found->empty()) found.reset();
  return found;
}

}  // namespace sandgate::gateway
