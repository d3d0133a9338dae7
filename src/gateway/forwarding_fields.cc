// SPDX-License-Identifier: Apache-2.0
#include "gateway/forwarding_fields.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "gateway/forwarded_node.h"
#include "http/hop_by_hop.h"
#include "http/target.h"

namespace sandgate::gateway {
namespace {

using http::Field;
using http::FieldId;
using http::Fields;

constexpr std::string_view kUnixPeer = "unix";
constexpr std::string_view kScheme = "http";
// What this adds at most, and the request id.
constexpr std::size_t kAddedFieldsMax = 5;

bool is_forwarding(FieldId id) {
  switch (id) {
    case FieldId::kForwarded:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedOther:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
    case FieldId::kXRealIp: return true;
    default: return false;
  }
}

// X_Forwarded_For and the like: upstreams that turn names into variables (CGI, WSGI) cannot tell them apart.
bool is_other_spelling(const Field& field) {
  constexpr std::size_t kBytesMax = 64;
  if (field.id != FieldId::kOther || field.name.find('_') == std::string_view::npos) return false;
  std::array<char, kBytesMax> name;
  std::size_t size = std::min(field.name.size(), kBytesMax);
  std::ranges::replace_copy(field.name.substr(0, size), name.begin(), '_', '-');
  return is_forwarding(http::field_id({name.data(), size}));
}

bool is_plain_connection_option(std::string_view value) {
  return equals_ignoring_case(value, "keep-alive") || equals_ignoring_case(value, "close");
}

// The usual Connection values name no field and stay for the proxy to drop.
void remove_named_by_connection(Fields& fields) {
  bool names_fields = std::ranges::any_of(fields, [](const Field& field) {
    return field.id == FieldId::kConnection && !is_plain_connection_option(field.value);
  });
  if (!names_fields) return;
  bool websocket = http::asks_for_websocket(fields);
  http::remove_hop_by_hop(fields);
  if (!websocket) return;
  fields.add({"connection", "upgrade", FieldId::kConnection});
  fields.add({"upgrade", "websocket", FieldId::kUpgrade});
}

// All lines of a field as one list. In the arena when there are several.
std::string_view joined(const Fields& fields, FieldId id) {
  std::string_view list;
  for (const Field& field : fields) {
    if (field.id == id) list = list.empty() ? field.value : fields.arena().join(list, ", ", field.value);
  }
  return list;
}

bool is_valid_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, ascii_digit);
}

bool is_valid(const Field& field) {
  switch (field.id) {
    case FieldId::kXForwardedProto:
      return equals_ignoring_case(field.value, "http") || equals_ignoring_case(field.value, "https");
    case FieldId::kXForwardedHost: return http::parse_authority(field.value).has_value();
    case FieldId::kXForwardedPort: return is_valid_port(field.value);
    case FieldId::kXRealIp: return parse_ip(field.value).has_value();
    default: return true;
  }
}

// Keeps the lines of `id` when there is exactly one and it is valid; returns whether.
bool keep_valid(Fields& fields, FieldId id) {
  std::size_t count = 0;
  bool valid = false;
  for (const Field& field : fields) {
    if (field.id != id) continue;
    ++count;
    valid = is_valid(field);
  }
  if (count == 1 && valid) return true;
  if (count > 0) fields.remove(id);
  return false;
}

// HTTP/1.0 allows a request without one.
void add_host(Exchange& exchange) {
  std::string_view authority = exchange.request.authority;
  if (!authority.empty()) exchange.request.fields.add({"x-forwarded-host", authority, FieldId::kXForwardedHost});
}

}  // namespace

bool ForwardingFields::trusts(const IpAddress& address) const {
  if (!loopback_only_) return contains(trusted_, address);
  if (address.is_ipv4()) return (address.low >> 24 & 0xff) == 127;
  return address.high == 0 && address.low == 1;
}

bool ForwardingFields::trusts(const Peer& peer) const {
  if (loopback_only_) return peer.loopback;
  std::optional<IpAddress> address = parse_ip(peer.address);
  return address && trusts(*address);
}

bool ForwardingFields::trusts_client(const Exchange& exchange) const {
  if (!trusts(exchange.peer)) return false;
  if (exchange.client == exchange.peer.address) return true;
  std::optional<IpAddress> address = parse_ip(exchange.client);
  return address && trusts(*address);
}

std::string_view ForwardingFields::walk_forwarded_for(std::string_view& list, std::string_view client) const {
  std::string_view rest = list;
  std::string_view vouched;  // the end of the list that was walked without objection
  for (std::size_t hop = 0; !rest.empty(); ++hop) {
    if (hop == kHopsMax) return client;
    std::size_t comma = rest.rfind(',');
    std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    std::string_view element = trimmed(rest.substr(begin));
    if (!element.empty()) {
      std::optional<ForwardedNode> node = parse_forwarded_node(element);
      if (!node) break;
      vouched = trimmed(list.substr(begin));
      client = node->text;
      if (!trusts(node->address)) return client;
    }
    rest = rest.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  list = vouched;
  return client;
}

std::string_view ForwardingFields::walk_forwarded(std::string_view list, std::string_view client,
                                                  bool& malformed) const {
  std::array<std::string_view, kHopsMax> hops;
  std::optional<std::size_t> count = forwarded_for_parameters(list, hops);
  malformed = !count;
  for (std::size_t i = count.value_or(0); i-- > 0;) {
    std::optional<ForwardedNode> node = parse_forwarded_node(hops[i]);
    if (!node) break;
    client = node->text;
    if (!trusts(node->address)) break;
  }
  return client;
}

void ForwardingFields::replace_all(Exchange& exchange) const {
  Fields& fields = exchange.request.fields;
  fields.keep_if([](const Field& field) { return !is_forwarding(field.id); });
  exchange.client = exchange.peer.address;
  if (exchange.peer.address != kUnixPeer) {
    fields.add({"x-forwarded-for", exchange.peer.address, FieldId::kXForwardedFor});
    fields.add({"x-real-ip", exchange.peer.address, FieldId::kXRealIp});
  }
  fields.add({"x-forwarded-proto", kScheme, FieldId::kXForwardedProto});
  add_host(exchange);
}

void ForwardingFields::extend(Exchange& exchange) const {
  Fields& fields = exchange.request.fields;
  std::string_view peer = exchange.peer.address == kUnixPeer ? std::string_view() : exchange.peer.address;
  std::string_view chain = joined(fields, FieldId::kXForwardedFor);
  std::string_view client = peer;
  if (fields.has(FieldId::kXForwardedFor)) {
    client = walk_forwarded_for(chain, peer);
    fields.remove(FieldId::kXForwardedFor);
  } else if (fields.has(FieldId::kForwarded)) {
    bool malformed = false;
    client = walk_forwarded(joined(fields, FieldId::kForwarded), peer, malformed);
    if (malformed) fields.remove(FieldId::kForwarded);
    if (client != peer) chain = client;
  }
  exchange.client = client.empty() ? exchange.peer.address : client;
  if (!chain.empty() && !peer.empty()) chain = fields.arena().join(chain, ", ", peer);
  if (chain.empty()) chain = peer;
  if (!chain.empty()) fields.add({"x-forwarded-for", chain, FieldId::kXForwardedFor});
  if (!keep_valid(fields, FieldId::kXRealIp) && !client.empty()) fields.add({"x-real-ip", client, FieldId::kXRealIp});
  if (!keep_valid(fields, FieldId::kXForwardedProto))
    fields.add({"x-forwarded-proto", kScheme, FieldId::kXForwardedProto});
  if (!keep_valid(fields, FieldId::kXForwardedHost)) add_host(exchange);
  keep_valid(fields, FieldId::kXForwardedPort);
}

void ForwardingFields::apply(Exchange& exchange) const {
  Fields& fields = exchange.request.fields;
  fields.reserve(fields.size() + kAddedFieldsMax);
  remove_named_by_connection(fields);
  fields.keep_if([](const Field& field) { return !is_other_spelling(field); });
  bool has_any = std::ranges::any_of(fields, [](const Field& field) { return is_forwarding(field.id); });
  if (has_any && trusts(exchange.peer)) {
    extend(exchange);
  } else {
    // From whomever: without such fields the peer is all there is.
    replace_all(exchange);
  }
}

}  // namespace sandgate::gateway
