// SPDX-License-Identifier: Apache-2.0
//
// For native unit tests of guests: makes what the host would hand in, and reads what it would be given. Include the
// guest's source into the test, call its hook, look at the Action. Everything made here lives in the memory of the
// call: memory().reset() between tests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include <sandgate/guest/action.h>
#include <sandgate/guest/canonical.h>
#include <sandgate/guest/message.h>
#include <sandgate/guest/runtime.h>
#include <sandgate/guest/text.h>

namespace sandgate::guest::testkit {

inline Headers make_headers(std::initializer_list<Header> headers) {
  const auto count = static_cast<std::uint32_t>(headers.size());
  auto* const list =
      static_cast<canonical::Header*>(memory().allocate(count * sizeof(canonical::Header), alignof(canonical::Header)));
  canonical::Header* at = list;
  const auto lower = [](std::string_view text) {
    const std::string_view kept = keep(text);
    return canonical::String{kept.data(), static_cast<std::uint32_t>(kept.size())};
  };
  for (const Header& header : headers) *at++ = {lower(header.name), lower(header.value)};
  return Headers({list, count});
}

inline std::string_view lift(const canonical::String& text) { return {text.data, text.size}; }

inline bool passes_unchanged(const Action& action) { return action.lowered().tag == canonical::Tag::proceed; }

// The status of a rejection; nothing for any other action.
inline std::optional<std::uint16_t> rejected_with(const Action& action) {
  if (action.lowered().tag != canonical::Tag::reject) return std::nullopt;
  return action.lowered().reject;
}

namespace detail {
inline std::optional<std::string_view> find(const canonical::List<canonical::Header>& list, std::string_view name) {
  for (std::uint32_t i = 0; i != list.size; ++i) {
    if (equal_ignoring_case(lift(list.data[i].name), name)) return lift(list.data[i].value);
  }
  return std::nullopt;
}
}  // namespace detail

// The value that the action sets for a field, the first that it adds, whether it removes it, the body it brings.
inline std::optional<std::string_view> set_value(const Action& action, std::string_view name) {
  if (action.lowered().tag != canonical::Tag::modify) return std::nullopt;
  return detail::find(action.lowered().modify.headers_set, name);
}
inline std::optional<std::string_view> added_value(const Action& action, std::string_view name) {
  if (action.lowered().tag != canonical::Tag::modify) return std::nullopt;
  return detail::find(action.lowered().modify.headers_add, name);
}
inline bool removes(const Action& action, std::string_view name) {
  if (action.lowered().tag != canonical::Tag::modify) return false;
  const canonical::List<canonical::String>& list = action.lowered().modify.headers_remove;
  for (std::uint32_t i = 0; i != list.size; ++i) {
    if (equal_ignoring_case(lift(list.data[i]), name)) return true;
  }
  return false;
}
inline std::optional<std::string_view> new_body(const Action& action) {
  if (action.lowered().tag != canonical::Tag::modify || action.lowered().modify.has_body == 0) return std::nullopt;
  return lift(action.lowered().modify.body);
}

}  // namespace sandgate::guest::testkit
