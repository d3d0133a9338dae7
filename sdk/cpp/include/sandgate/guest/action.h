// SPDX-License-Identifier: Apache-2.0
//
// What hooks answer. An Action is built in the memory of the call, in the layout in which the host reads it.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sandgate/guest/canonical.h>
#include <sandgate/guest/runtime.h>
#include <sandgate/guest/text.h>

namespace sandgate::guest {

// The answer `reject(status)`. It takes no edits: the interface has no place for them.
struct Rejection {
  std::uint16_t status;
};

// What the gateway shall do. Made by proceed() or reject(); each edit returns the action, so edits chain. The gateway
// applies all of headers set, then added, then removed, whatever the order of the calls here.
class Action {
 public:
  Action() : action_{.tag = canonical::Tag::proceed, .modify = {}} {}
  Action(Rejection rejection)
      : action_{.tag = canonical::Tag::reject, .reject = rejection.status} {}  // NOLINT: implicit
  Action(Action&&) = default;
  Action& operator=(Action&&) = default;
  Action(const Action&) = delete;  // two copies would write into one list
  Action& operator=(const Action&) = delete;

  // Replaces all lines of this name by one.
  template <class Self>
  Self&& set_header(this Self&& self, std::string_view name, std::string_view value) {
    self.edit(
        [&](canonical::Modify& modify) { append(modify.headers_set, canonical::Header{kept(name), kept(value)}); });
    return std::forward<Self>(self);
  }

  // Adds a line and leaves those of the same name alone.
  template <class Self>
  Self&& add_header(this Self&& self, std::string_view name, std::string_view value) {
    self.edit(
        [&](canonical::Modify& modify) { append(modify.headers_add, canonical::Header{kept(name), kept(value)}); });
    return std::forward<Self>(self);
  }

  // Removes all lines of this name.
  template <class Self>
  Self&& remove_header(this Self&& self, std::string_view name) {
    self.edit([&](canonical::Modify& modify) { append(modify.headers_remove, kept(name)); });
    return std::forward<Self>(self);
  }

  // Changes the status of a response (200-599). The gateway ignores it on a request.
  template <class Self>
  Self&& status(this Self&& self, std::uint16_t status) {
    self.edit([&](canonical::Modify& modify) {
      modify.has_status = 1;
      modify.status = status;
    });
    return std::forward<Self>(self);
  }

  // Replaces the body. The gateway writes the matching Content-Length.
  template <class Self>
  Self&& body(this Self&& self, std::string_view bytes) {
    self.edit([&](canonical::Modify& modify) {
      modify.has_body = 1;
      modify.body = kept(bytes);
    });
    return std::forward<Self>(self);
  }

  // The action as the host will read it; unit tests of guests look here.
  const canonical::Action& lowered() const { return action_; }

 private:
  template <class Edit>
  void edit(Edit&& edit) {
    if (action_.tag == canonical::Tag::reject) return;  // an Action made from a Rejection stays one
    action_.tag = canonical::Tag::modify;
    edit(action_.modify);
  }

  static canonical::String kept(std::string_view text) {
    const std::string_view safe = keep(text);
    return {safe.data(), static_cast<std::uint32_t>(safe.size())};
  }

  // A list doubles when its size reaches a power of two, so that no capacity needs storing.
  template <class T>
  static void append(canonical::List<T>& list, const T& element) {
    static_assert(std::is_trivially_copyable_v<T>);
    constexpr std::uint32_t kFirst = 4;
    if (list.size == 0 || (list.size >= kFirst && std::has_single_bit(list.size))) {
      const std::uint32_t capacity = list.size == 0 ? kFirst : list.size * 2;
      list.data =
          static_cast<T*>(memory().reallocate(list.data, list.size * sizeof(T), alignof(T), capacity * sizeof(T)));
    }
    list.data[list.size++] = element;
  }

  canonical::Action action_;
};

// Lets the message pass, with the edits chained to it.
inline Action proceed() { return {}; }

// Answers at once with this status (200-599) and the gateway's own body; nothing else runs and, on a request, the
// upstream is not asked.
constexpr Rejection reject(std::uint16_t status) { return {status}; }

}  // namespace sandgate::guest
