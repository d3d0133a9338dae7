// SPDX-License-Identifier: Apache-2.0
//
// Field lines of a message (RFC 9110 section 5), in the order received. Names and values are views into an arena (or
// static text) that outlives the list; editing never moves or frees text. Names compare without case. The parsers only
// make fields with valid names and values; whoever adds a field from elsewhere checks it with is_field_name and
// is_field_value first.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"

namespace sandgate::http {

// Fields the gateway treats specially, so that the request path compares numbers and not text.
enum class FieldId : unsigned char {
  kOther,
  kAccept,
  kAuthorization,
  kConnection,
  kContentLength,
  kContentType,
  kCookie,
  kDate,
  kExpect,
  kForwarded,
  kHost,
  kHttp2Settings,
  kKeepAlive,
  kOrigin,
  kProxyAuthenticate,
  kProxyAuthenticationInfo,
  kProxyAuthorization,
  kProxyConnection,
  kSecFetchSite,
  kSecWebSocketAccept,
  kSecWebSocketKey,
  kServer,
  kSetCookie,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kVia,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedProto,
  kXForwardedOther,  // any other x-forwarded-*
  kXRealIp,
  kXRequestId,
};

// The id of a name, without regard to case.
FieldId field_id(std::string_view name);

// RFC 9110 section 5.1: a token, at least one byte.
bool is_field_name(std::string_view name);
// RFC 9110 section 5.5: no control bytes but HTAB, no DEL, no leading or trailing blanks. Bytes above 0x7f are allowed.
// Empty is allowed.
bool is_field_value(std::string_view value);
// RFC 9110 section 5.6.2; methods are tokens too.
bool is_token(std::string_view text);

struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id = FieldId::kOther;
};

class Fields {
 public:
  // `arena` outlives the list and everything copied from it.
  explicit Fields(Arena& arena) : arena_(&arena) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Field* begin() const { return fields_; }
  const Field* end() const { return fields_ + size_; }
  const Field& operator[](std::size_t index) const { return fields_[index]; }
  Arena& arena() const { return *arena_; }

  // The first value, or nothing.
  std::optional<std::string_view> find(FieldId id) const;
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(FieldId id) const;
  bool has(FieldId id) const { return find(id).has_value(); }

  // Appends a line. The views must outlive the list: see add_copy.
  void add(const Field& field) {
    if (size_ == capacity_) grow();
    fields_[size_++] = field;
  }
  void add(std::string_view name, std::string_view value) { add(Field{name, value, field_id(name)}); }
  void add_copy(std::string_view name, std::string_view value) { add(arena_->copy(name), arena_->copy(value)); }
  // Replaces all lines of the name by one, at the place of the first; appends when there is none.
  void set(std::string_view name, std::string_view value);
  void set_copy(std::string_view name, std::string_view value) { set(arena_->copy(name), arena_->copy(value)); }
  // Removes all lines of the name or id. Returns how many.
  std::size_t remove(std::string_view name);
  std::size_t remove(FieldId id);
  // Keeps the lines for which `keep(field)` is true, in order.
  template <typename Keep>
  void keep_if(Keep&& keep) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (keep(fields_[i])) fields_[kept++] = fields_[i];
    }
    size_ = kept;
  }
  void clear() { size_ = 0; }
  // Room for `count` lines, so that a parser that counted them grows once.
  void reserve(std::size_t count);

 private:
  void grow();

  Arena* arena_;
  Field* fields_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace sandgate::http
