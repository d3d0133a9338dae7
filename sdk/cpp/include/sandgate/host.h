// SPDX-License-Identifier: Apache-2.0
//
// What a guest may ask of the gateway during a call: key-value stores, its settings, and the log.
//
//   #include <sandgate/host.h>
//
//   Store counters = Store::open("counters").value();      // deploy with "allow": {"key_value": ["counters"]}
//   std::optional<std::int64_t> n = counters.increment("visits");
//   std::string_view limit = setting("limit").value_or("60");   // deploy with "config": {"limit": "60"}
//   log(Level::warn, "limiter", "over the limit");
//
// Each part becomes an import only when it is used, and a module with an import that was not granted is refused when it
// is deployed. The imports are wasi:keyvalue 0.2.0-draft2, wasi:config 0.2.0-rc.1 and wasi:logging 0.1.0-draft.
//
// Texts that come back live in the memory of the call. Natively (unit tests of guests) stores and settings are those
// that a test puts into `fake()`, and the log goes nowhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <sandgate/guest/host_imports.h>
#include <sandgate/guest/runtime.h>
#include <sandgate/guest/text.h>

namespace sandgate::guest {

// A handle to a key-value store, closed when it ends. What other instances, threads and modules write to the store of
// this name is seen at once.
class Store {
 public:
  // Nothing when the module was not granted a store of this name.
  static std::optional<Store> open(std::string_view name) {
    imports::Result result;
    imports::open(name, result);
    if (result.failed()) return std::nullopt;
    return Store(result.handle());
  }
  Store(Store&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
  Store& operator=(Store&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Store() {
    if (handle_ != 0) imports::close(handle_);
  }

  // The value, or nothing when the key is not there or the store failed.
  std::optional<std::string_view> get(std::string_view key) const {
    imports::Result result;
    imports::get(handle_, key, result);
    if (result.failed()) return std::nullopt;
    return result.text();
  }
  // Keys have at most 1 KiB of UTF-8, values at most 1 MiB. False when the store failed.
  bool set(std::string_view key, std::string_view value) const {
    imports::Result result;
    imports::set(handle_, key, value, result);
    return !result.failed();
  }
  // A key that is not there is no failure.
  bool remove(std::string_view key) const {
    imports::Result result;
    imports::remove(handle_, key, result);
    return !result.failed();
  }
  // Adds to the decimal number at the key, in one step for everyone; a key that is not there counts as 0. The new
  // value; nothing when the value is no number or the store failed.
  std::optional<std::int64_t> increment(std::string_view key, std::int64_t delta = 1) const {
    imports::NumberResult result;
    imports::increment(handle_, key, delta, result);
    if (result.failed()) return std::nullopt;
    return result.number;
  }

 private:
  explicit Store(std::uint32_t handle) : handle_(handle) {}
  std::uint32_t handle_;  // 0: none
};

// A setting that the module was deployed with.
inline std::optional<std::string_view> setting(std::string_view name) {
  imports::Result result;
  imports::setting(name, result);
  if (result.failed()) return std::nullopt;
  return result.text();
}

enum class Level : std::uint8_t { trace, debug, info, warn, error, critical };

// A line in the gateway's log, with the module's name and the id of the request. At most 64 lines a call.
inline void log(Level level, std::string_view context, std::string_view message) {
  imports::log(static_cast<std::uint32_t>(level), context, message);
}

}  // namespace sandgate::guest
