// SPDX-License-Identifier: Apache-2.0
#include "http/hop_by_hop.h"

#include <array>
#include <span>

#include "base/ascii.h"
#include "http/limits.h"

namespace sandgate::http {
namespace {

// What a sender cannot have removed by naming it in Connection: fields that route or frame the message, and those with
// which the gateway tells the upstream about the sender.
bool is_protected(FieldId id) {
  switch (id) {
    case FieldId::kContentLength:
    case FieldId::kDate:
    case FieldId::kForwarded:
    case FieldId::kHost:
    case FieldId::kVia:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedOther:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
    case FieldId::kXRealIp:
    case FieldId::kXRequestId: return true;
    default: return false;
  }
}

}  // namespace

bool is_hop_by_hop(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kHttp2Settings:
    case FieldId::kKeepAlive:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade: return true;
    default: return false;
  }
}

void remove_hop_by_hop(Fields& fields) {
  // Names that Connection takes out beyond the known ones. The parser refuses heads with more options.
  std::array<std::string_view, kConnectionOptionsMax> named;
  std::size_t named_count = 0;
  for (const Field& field : fields) {
    if (field.id != FieldId::kConnection) continue;
    for_each_list_element(field.value, [&](std::string_view option) {
      const FieldId id = field_id(option);
      if (is_hop_by_hop(id) || is_protected(id) || equals_ignoring_case(option, "close")) return;
      if (named_count < named.size()) named[named_count++] = option;
    });
  }
  fields.keep_if([&](const Field& field) {
    if (is_hop_by_hop(field.id)) return false;
    for (std::string_view name : std::span(named).first(named_count)) {
      if (equals_ignoring_case(field.name, name)) return false;
    }
    return true;
  });
}

bool is_gateways_own(FieldId id, std::string_view name) {
  if (is_hop_by_hop(id) || id == FieldId::kExpect || id == FieldId::kContentLength) return true;
  constexpr std::string_view kPrefix = "proxy-";
  return name.size() > kPrefix.size() && equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

bool asks_for_websocket(const Fields& fields) {
  bool named = false;
  for (const Field& field : fields) {
    if (field.id != FieldId::kConnection) continue;
    for_each_list_element(field.value,
                          [&](std::string_view option) { named |= equals_ignoring_case(option, "upgrade"); });
  }
  if (!named || fields.count(FieldId::kUpgrade) != 1) return false;
  return equals_ignoring_case(fields.find(FieldId::kUpgrade).value_or(""), "websocket");
}

}  // namespace sandgate::http
