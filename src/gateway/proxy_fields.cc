// SPDX-License-Identifier: Apache-2.0
#include "gateway/proxy_fields.h"

#include <cstdint>
#include <initializer_list>

#include "base/ascii.h"
#include "gateway/request_id.h"
#include "http/hop_by_hop.h"

namespace sandgate::gateway {
namespace {

using http::Field;
using http::FieldId;

// A set of field ids as one word.
class FieldIds {
 public:
  consteval FieldIds(std::initializer_list<FieldId> ids) {
    for (FieldId id : ids) bits_ |= bit(id);
  }
  bool has(FieldId id) const { return (bits_ & bit(id)) != 0; }

 private:
  static constexpr std::uint64_t bit(FieldId id) { return std::uint64_t{1} << static_cast<unsigned>(id); }
  std::uint64_t bits_ = 0;
};
static_assert(static_cast<unsigned>(FieldId::kXRequestId) < 64, "FieldIds holds 64 ids");

// Hop-by-hop fields as http::is_hop_by_hop has them (a test compares); what the writer frames; Host, which is written
// from the authority; Expect, which the gateway answered itself.
constexpr FieldIds kNotUpstream = {
    FieldId::kConnection,
    FieldId::kContentLength,
    FieldId::kExpect,
    FieldId::kHost,
    FieldId::kHttp2Settings,
    FieldId::kKeepAlive,
    FieldId::kProxyAuthenticate,
    FieldId::kProxyAuthorization,
    FieldId::kProxyConnection,
    FieldId::kTe,
    FieldId::kTrailer,
    FieldId::kTransferEncoding,
    FieldId::kUpgrade,
};
constexpr FieldIds kNotToClient = {
    FieldId::kConnection,         FieldId::kHttp2Settings,   FieldId::kKeepAlive,  FieldId::kProxyAuthenticate,
    FieldId::kProxyAuthorization, FieldId::kProxyConnection, FieldId::kTe,         FieldId::kTrailer,
    FieldId::kTransferEncoding,   FieldId::kUpgrade,         FieldId::kXRequestId,
};

constexpr std::string_view kViaName = "sandgate";

// Adds our element to Via; lines there are become one.
void add_via(http::Fields& fields, bool has_via, int minor_version) {
  std::string_view element = minor_version == 0 ? "1.0 sandgate" : "1.1 sandgate";
  if (!has_via) return fields.add({"via", element, FieldId::kVia});
  std::string_view list;
  for (const Field& field : fields) {
    if (field.id == FieldId::kVia && !field.value.empty()) {
      list = list.empty() ? field.value : fields.arena().join(list, ", ", field.value);
    }
  }
  fields.set("via", list.empty() ? element : fields.arena().join(list, ", ", element));
}

bool names_other_fields(const Field& connection) {
  return !equals_ignoring_case(connection.value, "keep-alive") && !equals_ignoring_case(connection.value, "close");
}

void make_response(const Exchange& exchange, http::ResponseHead& head, Upgrading upgrading) {
  for (const Field& field : head.fields) {
    if (field.id == FieldId::kConnection && names_other_fields(field)) {
      http::remove_hop_by_hop(head.fields);
      break;
    }
  }
  bool has_via = false;
  head.fields.keep_if([&has_via](const Field& field) {
    has_via |= field.id == FieldId::kVia;
    return !kNotToClient.has(field.id);
  });
  if (upgrading == Upgrading::kWebSocket) head.fields.add({"upgrade", "websocket", FieldId::kUpgrade});
  add_via(head.fields, has_via, head.minor_version);
  head.fields.add({kRequestIdField, exchange.id, FieldId::kXRequestId});
}

}  // namespace

Upgrading asks_to_upgrade(const Exchange& exchange) {
  const http::RequestHead& request = exchange.request;
  if (!request.fields.has(FieldId::kUpgrade)) return Upgrading::kNo;
  bool possible = request.minor_version > 0 && request.method == "GET" && exchange.body().empty();
  return possible && http::asks_for_websocket(request.fields) ? Upgrading::kWebSocket : Upgrading::kNo;
}

void make_upstream_request(const Exchange& exchange, Upgrading upgrading, http::RequestHead& head) {
  const http::RequestHead& request = exchange.request;
  head.method = request.method;
  head.scheme = request.scheme;
  head.authority = request.authority;
  head.path = request.path;
  head.query = request.query;
  head.has_query = request.has_query;
  head.fields.reserve(request.fields.size() + 2);
  bool has_via = false;
  for (const Field& field : request.fields) {
    if (kNotUpstream.has(field.id)) continue;
    has_via |= field.id == FieldId::kVia;
    head.fields.add(field);
  }
  if (upgrading == Upgrading::kWebSocket) head.fields.add({"upgrade", "websocket", FieldId::kUpgrade});
  add_via(head.fields, has_via, request.minor_version);
}

int passes_so_far(const http::Fields& fields) {
  int passes = 0;
  for (const Field& field : fields) {
    if (field.id != FieldId::kVia) continue;
    for_each_list_element(field.value, [&passes](std::string_view element) {
      bool ours = element.ends_with(kViaName) && element.size() > kViaName.size() &&
                  element[element.size() - kViaName.size() - 1] == ' ';
      passes += ours ? 1 : 0;
    });
  }
  return passes;
}

void make_client_response(const Exchange& exchange, http::ResponseHead& head) {
  make_response(exchange, head, Upgrading::kNo);
}

void make_upgrade_response(const Exchange& exchange, http::ResponseHead& head) {
  make_response(exchange, head, Upgrading::kWebSocket);
}

}  // namespace sandgate::gateway
