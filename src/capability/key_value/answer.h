// SPDX-License-Identifier: Apache-2.0
//
// What a store says to one operation, and to whom. Answers own their texts, so they may come later and from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sandbox/instance_host.h"

namespace sandgate::capability {

// Where an answer comes from: metrics tell them apart, guests do not.
enum class AnswerSource : unsigned char {
  kStore,        // the store that was configured
  kUnavailable,  // nobody: it cannot be reached, and the policy is to say so
  kDropped,      // an empty store in its place
  kLocal,        // the memory of this process in its place
};

// The parts are those of sandbox::KeyValueReply.
struct Answer {
  sandbox::KeyValueStatus status = sandbox::KeyValueStatus::kOk;
  std::string message;
  std::vector<std::optional<std::string>> entries;
  std::vector<std::string> keys;
  std::optional<std::string> cursor;
  std::int64_t number = 0;
  bool yes = false;
  AnswerSource source = AnswerSource::kStore;
};

// kOther with a text that guests may see.
inline Answer refusal(std::string message, AnswerSource source = AnswerSource::kStore) {
  Answer answer;
  answer.status = sandbox::KeyValueStatus::kOther;
  answer.message = std::move(message);
  answer.source = source;
  return answer;
}

// Called once, from any thread; or destroyed uncalled, when the store ends first.
using Done = std::move_only_function<void(Answer)>;

// Texts that every kind of store uses: guests should not have to know which one they talk to.
inline constexpr const char* kEntryTooLarge = "the entry is larger than the store";
inline constexpr const char* kReplyTooLarge = "the values are larger than one reply may be";
inline constexpr const char* kNoNumber = "the value is not a decimal number";
inline constexpr const char* kBeyond64Bits = "the sum is beyond 64 bits";
inline constexpr const char* kForeignCursor = "the cursor is not ours";
inline constexpr const char* kTooBusy = "the store has too much to do";
inline constexpr const char* kUnreachable = "the store cannot be reached";

}  // namespace sandgate::capability
