// SPDX-License-Identifier: Apache-2.0
#include "admin/admin_access.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"
#include "platform/digest.h"

namespace sandgate::admin {
namespace {

constexpr std::string_view kAdminDenied =
    "The module API answers plain local clients only: call it on this machine, at a loopback address and without a "
    "proxy, "
    "or start the server with --admin-token and send the token as Authorization: Bearer";
constexpr std::string_view kAdminOff =
    "The module API is off because the server listens beyond loopback and has no token: start it with --admin-token, "
    "or with --wasm-admin=loopback to serve local clients only";
constexpr std::string_view kTokenWanted = "The module API needs the token of --admin-token as Authorization: Bearer";
constexpr std::string_view kMetricsDenied =
    "Metrics answer plain local clients only: scrape them on this machine, at a loopback address and without a proxy, "
    "or give them a listener of their own with --metrics-listen";

bool is_port(std::string_view port) {
  return !port.empty() && port.size() <= 5 && std::ranges::all_of(port, ascii_digit);
}

// "127.x.y.z" in plain decimal. Other spellings of addresses are not accepted: nobody needs them.
bool is_loopback_v4(std::string_view host) {
  constexpr std::string_view kNet = "127.";
  if (!host.starts_with(kNet)) return false;
  host.remove_prefix(kNet.size());
  for (int part = 0; part < 3; ++part) {
    std::size_t digits = 0;
    unsigned value = 0;
    while (digits < host.size() && digits < 3 && ascii_digit(host[digits])) {
      value = value * 10 + static_cast<unsigned>(host[digits++] - '0');
    }
    if (digits == 0 || value > 255 || (digits > 1 && host[0] == '0')) return false;
    host.remove_prefix(digits);
    if (part < 2) {
      if (!host.starts_with('.')) return false;
      host.remove_prefix(1);
    }
  }
  return host.empty();
}

// Only a browser's page or a proxy sends one of these.
bool is_telltale(http::FieldId id) {
  switch (id) {
    case http::FieldId::kOrigin:
    case http::FieldId::kSecFetchSite:
    case http::FieldId::kForwarded:
    case http::FieldId::kVia:
    case http::FieldId::kXForwardedFor:
    case http::FieldId::kXForwardedHost:
    case http::FieldId::kXForwardedPort:
    case http::FieldId::kXForwardedProto:
    case http::FieldId::kXForwardedOther:
    case http::FieldId::kXRealIp: return true;
    default: return false;
  }
}

bool is_plain_local_client(const Exchange& exchange) {
  const http::RequestHead& request = exchange.request;
  if (!exchange.peer.loopback || !exchange.local.loopback) return false;
  if (request.minor_version < 1 || !is_loopback_authority(request.authority)) return false;
  for (const http::Field& field : request.fields) {
    if (is_telltale(field.id)) return false;
    // With an absolute-form target Host may name something else than the authority.
    if (field.id == http::FieldId::kHost && !is_loopback_authority(field.value)) return false;
  }
  return true;
}

bool shows_token(const http::Fields& fields, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (fields.count(http::FieldId::kAuthorization) != 1) return false;
  std::string_view value = *fields.find(http::FieldId::kAuthorization);
  if (value.size() < kScheme.size() || !equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return false;
  // Digests have one length, so neither the token's bytes nor its length show in the time.
  platform::Sha256 given = platform::sha256(trimmed(value.substr(kScheme.size())));
  platform::Sha256 wanted = platform::sha256(token);
  return platform::equal_in_constant_time(platform::as_text(given), platform::as_text(wanted));
}

Problem denied(std::string_view detail) { return {.status = 403, .error = "denied", .detail = detail}; }

}  // namespace

bool is_loopback_authority(std::string_view authority) {
  std::string_view host = authority;
  // The colon of a port comes after the bracket of an IPv6 literal.
  if (std::size_t colon = host.rfind(':'); colon != std::string_view::npos && host.back() != ']') {
    if (!is_port(host.substr(colon + 1))) return false;
    host = host.substr(0, colon);
  }
  return host == "[::1]" || equals_ignoring_case(host, "localhost") || is_loopback_v4(host);
}

AdminAccess choose_admin_access(const AdminSettings& settings) {
  if (!settings.token.empty()) return {AdminRule::kToken, settings.token};
  if (!settings.listens_beyond_loopback || settings.loopback_wanted) return {AdminRule::kLoopback, {}};
  return {AdminRule::kOff, {}};
}

Result<AdminAccess> choose_listener_access(AdminListener listener, const std::string& token) {
  if (!token.empty()) return AdminAccess{AdminRule::kToken, token};
  if (listener == AdminListener::kUnixSocket) return AdminAccess{AdminRule::kSocket, {}};
  if (listener == AdminListener::kLoopback) return AdminAccess{AdminRule::kLoopback, {}};
  return fail(ErrorKind::kInvalid,
              "--admin-listen: other machines reach this address, so it needs --admin-token as well; or write "
              "127.0.0.1:PORT or unix:/PATH");
}

std::optional<Problem> refuse_admin(const Exchange& exchange, const AdminAccess& access) {
  switch (access.rule) {
    case AdminRule::kLoopback:
      if (is_plain_local_client(exchange)) return std::nullopt;
      return denied(kAdminDenied);
    case AdminRule::kToken:
      if (!access.token.empty() && shows_token(exchange.request.fields, access.token)) return std::nullopt;
      return Problem{.status = 401, .error = "unauthorized", .detail = kTokenWanted, .authenticate = "Bearer"};
    case AdminRule::kSocket: return std::nullopt;
    case AdminRule::kOff: break;
  }
  return denied(kAdminOff);
}

std::optional<Problem> refuse_metrics(const Exchange& exchange) {
  if (is_plain_local_client(exchange)) return std::nullopt;
  return denied(kMetricsDenied);
}

}  // namespace sandgate::admin
