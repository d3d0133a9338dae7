// SPDX-License-Identifier: Apache-2.0
#include "sandbox/instance_host.h"

#include <vector>

#include "sandbox/engine_error.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {
namespace {

sg_key_value_status to_status(KeyValueStatus status) {
  switch (status) {
    case KeyValueStatus::kOk: return SG_KEY_VALUE_OK;
    case KeyValueStatus::kNoSuchStore: return SG_KEY_VALUE_NO_SUCH_STORE;
    case KeyValueStatus::kAccessDenied: return SG_KEY_VALUE_ACCESS_DENIED;
    case KeyValueStatus::kOther: return SG_KEY_VALUE_OTHER;
  }
  return SG_KEY_VALUE_OTHER;
}

}  // namespace

static_assert(KeyValueReply::kKeysMax == SG_KEY_VALUE_REPLY_KEYS_MAX);
static_assert(KeyValueReply::kBytesMax == SG_KEY_VALUE_REPLY_BYTES_MAX);

std::string_view line_level_name(LineLevel level) {
  switch (level) {
    case LineLevel::kTrace: return "trace";
    case LineLevel::kDebug: return "debug";
    case LineLevel::kInfo: return "info";
    case LineLevel::kWarn: return "warn";
    case LineLevel::kError: return "error";
    case LineLevel::kCritical: return "critical";
  }
  return "";
}

KeyValueCompletion::~KeyValueCompletion() {
  if (completion_ != nullptr) finish({.status = KeyValueStatus::kOther, .message = "the operation was given up"});
}

void KeyValueCompletion::finish(const KeyValueReply& reply) {
  std::vector<sg_key_value_entry> entries;
  entries.reserve(reply.entries.size());
  for (const auto& entry : reply.entries) entries.push_back({entry.has_value(), to_bytes(entry.value_or(""))});
  std::vector<sg_bytes> keys;
  keys.reserve(reply.keys.size());
  for (std::string_view key : reply.keys) keys.push_back(to_bytes(key));
  sg_key_value_reply to{};
  to.status = to_status(reply.status);
  to.message = to_bytes(reply.message);
  to.entries = entries.data();
  to.entries_len = entries.size();
  to.keys = keys.data();
  to.keys_len = keys.size();
  to.has_cursor = reply.cursor.has_value();
  to.cursor = to_bytes(reply.cursor.value_or(""));
  to.number = reply.number;
  to.yes = reply.yes;
  ::sg_key_value_finish(std::exchange(completion_, nullptr), &to);
}

}  // namespace sandgate::sandbox
