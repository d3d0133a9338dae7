// SPDX-License-Identifier: Apache-2.0
//
// Middleware for Sandgate in C++: a request or response comes in, an Action goes out.
//
//   #include <sandgate/middleware.h>
//   using namespace sandgate::guest;
//
//   Action on_request(const Request& request) {
//     if (!request.header("x-api-key")) return reject(401);
//     return proceed().set_header("x-seen", "1");
//   }
//   SANDGATE_ON_REQUEST(on_request)
//
//   clang++-19 --config=sdk/cpp/guest.cfg guest.cc -o guest.wasm
//
// Lifetimes: every view in a Request or Response, and everything the SDK allocates, lives in the memory of the call,
// which is emptied when the host has read the Action. Never keep a view in a global. Texts given to an Action may be
// temporaries: what does not live in the memory of the call is copied there.
//
// Threads: a guest has one, and one call at a time. Errors: there are no exceptions; running out of memory traps, and
// the host applies the module's failure policy. Text in an Action must be UTF-8 and valid HTTP: the host checks, and
// a mistake counts as a failure of the module. Natively the header compiles too, without exports, so that a guest's
// functions can be unit-tested (sdk/cpp/test).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sandgate/guest/middleware_abi.h>
#include <sandgate/guest/runtime.h>
#include <sandgate/guest/text.h>

// The WIT package whose world the guest exports. Define it before including this header for the renamed twins of the
// interface: "sgl:model-gateway" or "smg:gateway".
#if !defined(SANDGATE_PACKAGE)
#define SANDGATE_PACKAGE "sgl:router"
#endif

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
    Iterator(const abi::Header* at, const abi::Header* end, std::string_view only) : at_(at), end_(end), only_(only) {
      skip();
    }
    void skip() {
      if (only_.data() == nullptr) return;
      while (at_ != end_ && !equal_ignoring_case(text(at_->name), only_)) ++at_;
    }

    const abi::Header* at_ = nullptr;
    const abi::Header* end_ = nullptr;
    std::string_view only_;
  };

  Headers() = default;
  explicit Headers(abi::List<const abi::Header> list) : list_(list) {}

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
  static std::string_view text(const abi::String& string) { return {string.data, string.size}; }

  abi::List<const abi::Header> list_{nullptr, 0};
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

// The answer `reject(status)`. It takes no edits: the interface has no place for them.
struct Rejection {
  std::uint16_t status;
};

// What the gateway shall do. Made by proceed() or reject(); each edit returns the action, so edits chain. The gateway
// applies all of headers set, then added, then removed, whatever the order of the calls here.
class Action {
 public:
  Action() : action_{.tag = abi::Tag::proceed, .modify = {}} {}
  Action(Rejection rejection) : action_{.tag = abi::Tag::reject, .reject = rejection.status} {}  // NOLINT: implicit
  Action(Action&&) = default;
  Action& operator=(Action&&) = default;
  Action(const Action&) = delete;  // two copies would write into one list
  Action& operator=(const Action&) = delete;

  // Replaces all lines of this name by one.
  template <class Self>
  Self&& set_header(this Self&& self, std::string_view name, std::string_view value) {
    self.edit([&](abi::Modify& modify) { append(modify.headers_set, abi::Header{kept(name), kept(value)}); });
    return std::forward<Self>(self);
  }

  // Adds a line and leaves those of the same name alone.
  template <class Self>
  Self&& add_header(this Self&& self, std::string_view name, std::string_view value) {
    self.edit([&](abi::Modify& modify) { append(modify.headers_add, abi::Header{kept(name), kept(value)}); });
    return std::forward<Self>(self);
  }

  // Removes all lines of this name.
  template <class Self>
  Self&& remove_header(this Self&& self, std::string_view name) {
    self.edit([&](abi::Modify& modify) { append(modify.headers_remove, kept(name)); });
    return std::forward<Self>(self);
  }

  // Changes the status of a response (200-599). The gateway ignores it on a request.
  template <class Self>
  Self&& status(this Self&& self, std::uint16_t status) {
    self.edit([&](abi::Modify& modify) {
      modify.has_status = 1;
      modify.status = status;
    });
    return std::forward<Self>(self);
  }

  // Replaces the body. The gateway writes the matching Content-Length.
  template <class Self>
  Self&& body(this Self&& self, std::string_view bytes) {
    self.edit([&](abi::Modify& modify) {
      modify.has_body = 1;
      modify.body = kept(bytes);
    });
    return std::forward<Self>(self);
  }

  // The action as the host will read it; unit tests of guests look here.
  const abi::Action& lowered() const { return action_; }

 private:
  template <class Edit>
  void edit(Edit&& edit) {
    if (action_.tag == abi::Tag::reject) return;  // an Action made from a Rejection stays one
    action_.tag = abi::Tag::modify;
    edit(action_.modify);
  }

  static abi::String kept(std::string_view text) {
    const std::string_view safe = keep(text);
    return {safe.data(), static_cast<std::uint32_t>(safe.size())};
  }

  // A list doubles when its size reaches a power of two, so that no capacity needs storing.
  template <class T>
  static void append(abi::List<T>& list, const T& element) {
    static_assert(std::is_trivially_copyable_v<T>);
    constexpr std::uint32_t kFirst = 4;
    if (list.size == 0 || (list.size >= kFirst && std::has_single_bit(list.size))) {
      const std::uint32_t capacity = list.size == 0 ? kFirst : list.size * 2;
      list.data = static_cast<T*>(
          memory().reallocate(list.data, list.size * sizeof(T), alignof(T), capacity * sizeof(T)));
    }
    list.data[list.size++] = element;
  }

  abi::Action action_;
};

// Lets the message pass, with the edits chained to it.
inline Action proceed() { return {}; }

// Answers at once with this status (200-599) and the gateway's own body; nothing else runs and, on a request, the
// upstream is not asked.
constexpr Rejection reject(std::uint16_t status) { return {status}; }

namespace detail {

// Where the host finds the answer. Valid until the next call enters.
inline constinit abi::Action answer{.tag = abi::Tag::proceed, .modify = {}};

inline const abi::Action* give(const Action& action) {
  answer = action.lowered();
  return &answer;
}

}  // namespace detail
}  // namespace sandgate::guest

#if defined(__wasm__)

// Makes `function`, an Action(const Request&), the guest's request hook. Once per guest, outside of any namespace.
#define SANDGATE_ON_REQUEST(function)                                                                                  \
  extern "C" [[clang::export_name(SANDGATE_PACKAGE "/middleware-on-request#on-request")]]                              \
  const ::sandgate::guest::abi::Action* sandgate_on_request(                                                           \
      const char* method, ::std::uint32_t method_size, const char* path, ::std::uint32_t path_size, const char* query, \
      ::std::uint32_t query_size, const ::sandgate::guest::abi::Header* headers, ::std::uint32_t headers_size,         \
      const char* body, ::std::uint32_t body_size, const char* request_id, ::std::uint32_t request_id_size,            \
      ::std::uint64_t now_epoch_ms) {                                                                                  \
    ::sandgate::guest::detail::enter();                                                                                \
    const ::sandgate::guest::Request request{                                                                          \
        .method = {method, method_size},                                                                               \
        .path = {path, path_size},                                                                                     \
        .query = {query, query_size},                                                                                  \
        .headers = ::sandgate::guest::Headers({headers, headers_size}),                                                \
        .body = {body, body_size},                                                                                     \
        .request_id = {request_id, request_id_size},                                                                   \
        .now_epoch_ms = now_epoch_ms,                                                                                  \
    };                                                                                                                 \
    return ::sandgate::guest::detail::give(function(request));                                                         \
  }                                                                                                                    \
  extern "C" [[clang::export_name("cabi_post_" SANDGATE_PACKAGE "/middleware-on-request#on-request")]]                 \
  void sandgate_after_request(const ::sandgate::guest::abi::Action*) {                                                 \
    ::sandgate::guest::memory().reset();                                                                               \
  }

// Makes `function`, an Action(const Response&), the guest's response hook. Once per guest, outside of any namespace.
#define SANDGATE_ON_RESPONSE(function)                                                                            \
  extern "C" [[clang::export_name(SANDGATE_PACKAGE "/middleware-on-response#on-response")]]                       \
  const ::sandgate::guest::abi::Action* sandgate_on_response(                                                     \
      ::std::uint32_t status, const ::sandgate::guest::abi::Header* headers, ::std::uint32_t headers_size,        \
      const char* body, ::std::uint32_t body_size) {                                                              \
    ::sandgate::guest::detail::enter();                                                                           \
    const ::sandgate::guest::Response response{                                                                   \
        .status = static_cast<::std::uint16_t>(status),                                                           \
        .headers = ::sandgate::guest::Headers({headers, headers_size}),                                           \
        .body = {body, body_size},                                                                                \
    };                                                                                                            \
    return ::sandgate::guest::detail::give(function(response));                                                   \
  }                                                                                                               \
  extern "C" [[clang::export_name("cabi_post_" SANDGATE_PACKAGE "/middleware-on-response#on-response")]]          \
  void sandgate_after_response(const ::sandgate::guest::abi::Action*) {                                           \
    ::sandgate::guest::memory().reset();                                                                          \
  }

#else

// Natively only the signature is checked.
#define SANDGATE_ON_REQUEST(function) \
  static_assert(::std::is_invocable_r_v<::sandgate::guest::Action, decltype(function), const ::sandgate::guest::Request&>)
#define SANDGATE_ON_RESPONSE(function) \
  static_assert(::std::is_invocable_r_v<::sandgate::guest::Action, decltype(function), const ::sandgate::guest::Response&>)

#endif
