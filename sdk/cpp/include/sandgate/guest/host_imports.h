// SPDX-License-Identifier: Apache-2.0
//
// The imports behind host.h as the canonical ABI lowers them: texts are address and length, results are written to
// memory of the caller. Natively they are functions over maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#if !defined(__wasm__)
#include <charconv>
#include <map>
#include <string>
#include <vector>
#endif

namespace sandgate::guest::imports {

// result<own<bucket>, error>, result<option<list<u8>>, error>, result<option<string>, error> and result<_, error>: the
// case, then at 4 a handle, an option or the case of the error, at 8 a text.
struct Result {
  std::uint8_t is_error = 0;
  std::uint32_t second = 0;  // handle; or whether there is a value, in its first byte
  const char* data = nullptr;
  std::uint32_t size = 0;

  bool failed() const { return is_error != 0; }
  std::uint32_t handle() const { return second; }
  std::optional<std::string_view> text() const {
    if ((second & 0xff) == 0) return std::nullopt;
    return std::string_view(data, size);
  }
};

// result<s64, error>
struct NumberResult {
  std::uint8_t is_error = 0;
  std::int64_t number = 0;
  std::int64_t rest = 0;  // of an error's text

  bool failed() const { return is_error != 0; }
};

#if defined(__wasm32__)
static_assert(offsetof(Result, second) == 4 && offsetof(Result, data) == 8 && sizeof(Result) == 16);
static_assert(offsetof(NumberResult, number) == 8 && sizeof(NumberResult) == 24);

#define SANDGATE_IMPORT(module, name) [[clang::import_module(module), clang::import_name(name)]]

extern "C" {
SANDGATE_IMPORT("wasi:keyvalue/store@0.2.0-draft2", "open")
void sandgate_keyvalue_open(const char* name, std::uint32_t size, Result* result);
SANDGATE_IMPORT("wasi:keyvalue/store@0.2.0-draft2", "[resource-drop]bucket")
void sandgate_keyvalue_close(std::uint32_t handle);
SANDGATE_IMPORT("wasi:keyvalue/store@0.2.0-draft2", "[method]bucket.get")
void sandgate_keyvalue_get(std::uint32_t handle, const char* key, std::uint32_t key_size, Result* result);
SANDGATE_IMPORT("wasi:keyvalue/store@0.2.0-draft2", "[method]bucket.set")
void sandgate_keyvalue_set(std::uint32_t handle, const char* key, std::uint32_t key_size, const char* value,
                           std::uint32_t value_size, Result* result);
SANDGATE_IMPORT("wasi:keyvalue/store@0.2.0-draft2", "[method]bucket.delete")
void sandgate_keyvalue_delete(std::uint32_t handle, const char* key, std::uint32_t key_size, Result* result);
SANDGATE_IMPORT("wasi:keyvalue/atomics@0.2.0-draft2", "increment")
void sandgate_keyvalue_increment(std::uint32_t handle, const char* key, std::uint32_t key_size, std::int64_t delta,
                                 NumberResult* result);
SANDGATE_IMPORT("wasi:config/store@0.2.0-rc.1", "get")
void sandgate_config_get(const char* name, std::uint32_t size, Result* result);
SANDGATE_IMPORT("wasi:logging/logging@0.1.0-draft", "log")
void sandgate_log(std::uint32_t level, const char* context, std::uint32_t context_size, const char* message,
                  std::uint32_t message_size);
}
#undef SANDGATE_IMPORT

inline std::uint32_t size_of(std::string_view text) { return static_cast<std::uint32_t>(text.size()); }

inline void open(std::string_view name, Result& result) { sandgate_keyvalue_open(name.data(), size_of(name), &result); }
inline void close(std::uint32_t handle) { sandgate_keyvalue_close(handle); }
inline void get(std::uint32_t handle, std::string_view key, Result& result) {
  sandgate_keyvalue_get(handle, key.data(), size_of(key), &result);
}
inline void set(std::uint32_t handle, std::string_view key, std::string_view value, Result& result) {
  sandgate_keyvalue_set(handle, key.data(), size_of(key), value.data(), size_of(value), &result);
}
inline void remove(std::uint32_t handle, std::string_view key, Result& result) {
  sandgate_keyvalue_delete(handle, key.data(), size_of(key), &result);
}
inline void increment(std::uint32_t handle, std::string_view key, std::int64_t delta, NumberResult& result) {
  sandgate_keyvalue_increment(handle, key.data(), size_of(key), delta, &result);
}
inline void setting(std::string_view name, Result& result) { sandgate_config_get(name.data(), size_of(name), &result); }
inline void log(std::uint32_t level, std::string_view context, std::string_view message) {
  sandgate_log(level, context.data(), size_of(context), message.data(), size_of(message));
}

#else

using Texts = std::map<std::string, std::string, std::less<>>;

// What a test lets the guest find. Handles are positions in `opened`, from 1.
struct Fake {
  std::map<std::string, Texts, std::less<>> stores;  // those that may be opened
  std::vector<Texts*> opened;
  Texts settings;
};

inline Fake& fake() {
  static Fake one;
  return one;
}

inline void give(const Texts& texts, std::string_view name, Result& result) {
  auto found = texts.find(name);
  if (found == texts.end()) return;
  result = {0, 1, found->second.data(), static_cast<std::uint32_t>(found->second.size())};
}

inline void open(std::string_view name, Result& result) {
  auto found = fake().stores.find(name);
  result.is_error = found == fake().stores.end();
  if (result.failed()) return;
  fake().opened.push_back(&found->second);
  result.second = static_cast<std::uint32_t>(fake().opened.size());
}
inline void close(std::uint32_t handle) { fake().opened[handle - 1] = nullptr; }
inline void get(std::uint32_t handle, std::string_view key, Result& result) {
  give(*fake().opened[handle - 1], key, result);
}
inline void set(std::uint32_t handle, std::string_view key, std::string_view value, Result&) {
  fake().opened[handle - 1]->insert_or_assign(std::string(key), std::string(value));
}
inline void remove(std::uint32_t handle, std::string_view key, Result&) {
  fake().opened[handle - 1]->erase(std::string(key));
}
inline void increment(std::uint32_t handle, std::string_view key, std::int64_t delta, NumberResult& result) {
  std::string& text = (*fake().opened[handle - 1])[std::string(key)];
  std::int64_t number = 0;
  if (!text.empty() && std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) {
    result.is_error = 1;
    return;
  }
  result.number = number + delta;
  text = std::to_string(result.number);
}
inline void setting(std::string_view name, Result& result) { give(fake().settings, name, result); }
inline void log(std::uint32_t, std::string_view, std::string_view) {}

#endif

}  // namespace sandgate::guest::imports
