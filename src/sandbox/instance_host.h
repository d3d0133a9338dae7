// SPDX-License-Identifier: Apache-2.0
//
// What an instance may ask of its host during a call: to write a line, and to use a key-value store. Everything else of
// its world is powerless and lives in the engine. Called on the loop thread of the call, on a fiber's stack with 1 MiB
// free: noexcept, must not block, suspend, or call back into the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

struct sg_key_value_completion;

namespace sandgate::sandbox {

enum class LineSource : unsigned char { kStdout, kStderr, kLogging };
enum class LineLevel : unsigned char { kTrace, kDebug, kInfo, kWarn, kError, kCritical };
// "trace", "debug", "info", "warn", "error", "critical".
std::string_view line_level_name(LineLevel level);

// A line of guest output, without a newline, as the guest wrote it.
struct GuestLine {
  LineSource source = LineSource::kStdout;
  LineLevel level = LineLevel::kInfo;
  std::string_view context;  // of wasi:logging
  std::string_view text;
};

enum class KeyValueOperation : unsigned char {
  kOpen,            // identifier: number
  kGet,             // keys[0]: entries[0]
  kSet,             // keys[0], values[0]
  kDelete,          // keys[0]; a key that is not there is no error
  kExists,          // keys[0]: yes
  kListKeys,        // cursor of the page before: keys, and a cursor when there are more
  kIncrement,       // keys[0], delta: number, the new value; a key that is not there counts as 0
  kCompareAndSwap,  // keys[0], values[0], expected (absent: the key must not be there): yes, it was swapped
  kGetMany,         // keys: entries, one for each key in their order
  kSetMany,         // keys and values of the same length
  kDeleteMany,      // keys
};

// Checked by the engine: keys and identifier are UTF-8 of at most 1 KiB, values have at most 1 MiB, a batch at most 128
// of each. The texts are valid during the call of key_value() only.
struct KeyValueRequest {
  KeyValueOperation operation = KeyValueOperation::kOpen;
  std::uint64_t bucket = 0;  // what kOpen was answered with
  std::string_view identifier;
  std::span<const std::string_view> keys;
  std::span<const std::string_view> values;
  std::optional<std::string_view> expected;
  std::int64_t delta = 0;
  std::optional<std::string_view> cursor;
};

enum class KeyValueStatus : unsigned char { kOk, kNoSuchStore, kAccessDenied, kOther };

// What the operation answers, and nothing else of it, is read. The texts are copied.
struct KeyValueReply {
  // Of keys in one page, and of keys and values together.
  static constexpr std::size_t kKeysMax = 1000;
  static constexpr std::size_t kBytesMax = 8 * 1024 * 1024;

  KeyValueStatus status = KeyValueStatus::kOk;
  std::string_view message;  // of kOther, for the guest
  std::span<const std::optional<std::string_view>> entries;
  std::span<const std::string_view> keys;
  std::optional<std::string_view> cursor;  // decimal digits of a 64-bit number: old guests take nothing else
  std::int64_t number = 0;
  bool yes = false;
};

// The right to answer one operation, from any thread, during key_value() or later. An operation that nobody answers
// fails when this is destroyed.
class KeyValueCompletion {
 public:
  explicit KeyValueCompletion(sg_key_value_completion* completion) : completion_(completion) {}
  KeyValueCompletion(KeyValueCompletion&& other) noexcept : completion_(std::exchange(other.completion_, nullptr)) {}
  KeyValueCompletion& operator=(KeyValueCompletion&&) = delete;
  ~KeyValueCompletion();

  void finish(const KeyValueReply& reply);

 private:
  sg_key_value_completion* completion_;
};

class InstanceHost {
 public:
  virtual ~InstanceHost() = default;
  virtual void line(const GuestLine& line) noexcept = 0;
  virtual void key_value(const KeyValueRequest& request, KeyValueCompletion completion) noexcept = 0;
};

}  // namespace sandgate::sandbox
