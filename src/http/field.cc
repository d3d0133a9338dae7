// SPDX-License-Identifier: Apache-2.0
#include "http/field.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"
#include "http/byte_class.h"

namespace sandgate::http {
namespace {

// An ordinary request has ten fields and the gateway adds a handful.
constexpr std::size_t kFirstCapacity = 24;

// Whether `name`, at least as long as the literal, begins with it without case. `lower` is in lower case and begins
// with a letter. After that no early exit: the compiler turns the loop over a constant into a few wide compares.
template <std::size_t N>
[[gnu::always_inline]] inline bool is(std::string_view name, const char (&lower)[N]) {
  if ((static_cast<unsigned char>(name[0]) | 0x20U) != static_cast<unsigned char>(lower[0])) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i + 1 < N; ++i) {
    auto expected = static_cast<unsigned char>(lower[i]);
    unsigned fold = expected >= 'a' && expected <= 'z' ? 0x20U : 0U;
    difference |= (static_cast<unsigned char>(name[i]) | fold) ^ expected;
  }
  return difference == 0;
}

FieldId short_name_id(std::string_view name) {
  switch (name.size()) {
    case 2: return is(name, "te") ? FieldId::kTe : FieldId::kOther;
    case 3: return is(name, "via") ? FieldId::kVia : FieldId::kOther;
    case 4:
      if (is(name, "host")) return FieldId::kHost;
      return is(name, "date") ? FieldId::kDate : FieldId::kOther;
    case 6:
      if (is(name, "accept")) return FieldId::kAccept;
      if (is(name, "cookie")) return FieldId::kCookie;
      if (is(name, "origin")) return FieldId::kOrigin;
      if (is(name, "expect")) return FieldId::kExpect;
      return is(name, "server") ? FieldId::kServer : FieldId::kOther;
    case 7:
      if (is(name, "upgrade")) return FieldId::kUpgrade;
      return is(name, "trailer") ? FieldId::kTrailer : FieldId::kOther;
    case 9:
      if (is(name, "forwarded")) return FieldId::kForwarded;
      return is(name, "x-real-ip") ? FieldId::kXRealIp : FieldId::kOther;
    case 10:
      if (is(name, "connection")) return FieldId::kConnection;
      if (is(name, "keep-alive")) return FieldId::kKeepAlive;
      return is(name, "set-cookie") ? FieldId::kSetCookie : FieldId::kOther;
    case 12:
      if (is(name, "content-type")) return FieldId::kContentType;
      return is(name, "x-request-id") ? FieldId::kXRequestId : FieldId::kOther;
    default: return FieldId::kOther;
  }
}

FieldId long_name_id(std::string_view name) {
  switch (name.size()) {
    case 13:
      if (is(name, "authorization")) return FieldId::kAuthorization;
      break;
    case 14:
      if (is(name, "content-length")) return FieldId::kContentLength;
      if (is(name, "sec-fetch-site")) return FieldId::kSecFetchSite;
      if (is(name, "http2-settings")) return FieldId::kHttp2Settings;
      break;
    case 15:
      if (is(name, "x-forwarded-for")) return FieldId::kXForwardedFor;
      break;
    case 16:
      if (is(name, "x-forwarded-host")) return FieldId::kXForwardedHost;
      if (is(name, "x-forwarded-port")) return FieldId::kXForwardedPort;
      if (is(name, "proxy-connection")) return FieldId::kProxyConnection;
      break;
    case 17:
      if (is(name, "x-forwarded-proto")) return FieldId::kXForwardedProto;
      if (is(name, "transfer-encoding")) return FieldId::kTransferEncoding;
      if (is(name, "sec-websocket-key")) return FieldId::kSecWebSocketKey;
      break;
    case 18:
      if (is(name, "proxy-authenticate")) return FieldId::kProxyAuthenticate;
      break;
    case 19:
      if (is(name, "proxy-authorization")) return FieldId::kProxyAuthorization;
      break;
    case 20:
      if (is(name, "sec-websocket-accept")) return FieldId::kSecWebSocketAccept;
      break;
    case 25:
      if (is(name, "proxy-authentication-info")) return FieldId::kProxyAuthenticationInfo;
      break;
    default: break;
  }
  return is(name, "x-forwarded-") ? FieldId::kXForwardedOther : FieldId::kOther;
}

}  // namespace

FieldId field_id(std::string_view name) { return name.size() <= 12 ? short_name_id(name) : long_name_id(name); }

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_byte(c, kTokenByte); });
}

bool is_field_name(std::string_view name) { return is_token(name); }

bool is_field_value(std::string_view value) {
  const char* end = value.data() + value.size();
  return find_control(value.data(), end) == end && trimmed(value).size() == value.size();
}

std::optional<std::string_view> Fields::find(FieldId id) const {
  for (const Field& field : *this) {
    if (field.id == id) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const Field& field : *this) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Fields::count(FieldId id) const {
  return static_cast<std::size_t>(std::ranges::count_if(*this, [id](const Field& field) { return field.id == id; }));
}

void Fields::grow() { reserve(size_ == 0 ? kFirstCapacity : size_ * 2); }

void Fields::set(std::string_view name, std::string_view value) {
  Field replacement{name, value, field_id(name)};
  bool placed = false;
  keep_if([&](Field& field) {
    if (field.id != replacement.id || !equals_ignoring_case(field.name, name)) return true;
    if (placed) return false;
    field = replacement;
    placed = true;
    return true;
  });
  if (!placed) add(replacement);
}

std::size_t Fields::remove(std::string_view name) {
  std::size_t before = size_;
  keep_if([name](const Field& field) { return !equals_ignoring_case(field.name, name); });
  return before - size_;
}

std::size_t Fields::remove(FieldId id) {
  std::size_t before = size_;
  keep_if([id](const Field& field) { return field.id != id; });
  return before - size_;
}

void Fields::reserve(std::size_t count) {
  if (count <= capacity_) return;
  std::span<Field> room = arena_->allocate_array<Field>(count);
  if (size_ != 0) std::memcpy(static_cast<void*>(room.data()), fields_, size_ * sizeof(Field));
  fields_ = room.data();
  capacity_ = count;
}

}  // namespace sandgate::http
