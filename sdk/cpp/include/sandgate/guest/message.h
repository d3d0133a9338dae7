// SPDX-License-Identifier: Apache-2.0
//
// What hooks are given: a Request or a Response with its Headers. All views into the memory of the call (arena.h), made
// by the SDK around what the host wrote; valid until the hook's action has been read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include <sandgate/guest/canonical.h>
#include <sandgate/guest/text.h>

namespace sandgate::guest {

// One field line. The gateway shows names in lower case and repeats a name for each of its lines.
struct Header {
  std::string_view name;
  std::string_view value;
};

// The field lines of a message in their order. A cheap view: copy it freely.
class Headers {
 public:
  class Iterator {
   public:
    using value_type = Header;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::forward_iterator_tag;

    Iterator() = default;
    Header operator*() const { return {text(at_->name), text(at_->value)}; }
    Iterator& operator++() {
      ++at_;
      skip();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    friend class Headers;
    Iterator(const canonical::Header* at, const canonical::Header* end, std::string_view only)
        : at_(at), end_(end), only_(only) {
      skip();
    }
    void skip() {
      if (only_.data() == nullptr) return;
      while (at_ != end_ && !equal_ignoring_case(text(at_->name), only_)) ++at_;
    }

    const canonical::Header* at_ = nullptr;
    const canonical::Header* end_ = nullptr;
    std::string_view only_;
  };

  Headers() = default;
  explicit Headers(canonical::List<const canonical::Header> list) : list_(list) {}

  Iterator begin() const { return {list_.data, list_.data + list_.size, only_}; }
  Iterator end() const { return {list_.data + list_.size, list_.data + list_.size, only_}; }
  bool empty() const { return begin() == end(); }
  std::size_t size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

  // The value of the first line named `name`, in whatever case.
  std::optional<std::string_view> find(std::string_view name) const {
    for (const Header header : *this) {
      if (equal_ignoring_case(header.name, name)) return header.value;
    }
    return std::nullopt;
  }

  // Only the lines named `name`. `name` must live as long as the result.
  Headers named(std::string_view name) const {
    Headers some = *this;
    some.only_ = name;
    return some;
  }

 private:
  static std::string_view text(const canonical::String& string) { return {string.data, string.size}; }

  canonical::List<const canonical::Header> list_{nullptr, 0};
  std::string_view only_;
};

// What a client asked for. `path` is the normalised path, `query` comes without the question mark ("" if none), `body`
// is the whole body as bytes, `now_epoch_ms` the wall clock of the host as Unix time in milliseconds.
struct Request {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  Headers headers;
  std::string_view body;
  std::string_view request_id;
  std::uint64_t now_epoch_ms = 0;

  std::optional<std::string_view> header(std::string_view name) const { return headers.find(name); }
};

// What is about to go back to the client.
struct Response {
  std::uint16_t status = 0;
  Headers headers;
  std::string_view body;

  std::optional<std::string_view> header(std::string_view name) const { return headers.find(name); }
};

}  // namespace sandgate::guest
