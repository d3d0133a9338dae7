// SPDX-License-Identifier: Apache-2.0
#include "sandbox/host_calls.h"

#include <array>
#include <cstddef>

#include "base/check.h"
#include "sandbox/engine_error.h"
#include "sandbox/instance_host.h"

namespace sandgate::sandbox {
namespace {

// On the fiber's stack: 2 KiB each.
using Texts = std::array<std::string_view, SG_KEY_VALUE_BATCH_MAX>;

std::span<const std::string_view> view(const sg_bytes* list, std::size_t length, Texts& texts) {
  SANDGATE_CHECK(length <= texts.size());
  for (std::size_t i = 0; i < length; ++i) texts[i] = to_text(list[i]);
  return {texts.data(), length};
}

LineSource to_source(sg_log_source source) {
  switch (source) {
    case SG_STDOUT: return LineSource::kStdout;
    case SG_STDERR: return LineSource::kStderr;
    case SG_LOGGING: return LineSource::kLogging;
  }
  return LineSource::kStdout;
}

LineLevel to_level(sg_log_level level) {
  switch (level) {
    case SG_LEVEL_TRACE: return LineLevel::kTrace;
    case SG_LEVEL_DEBUG: return LineLevel::kDebug;
    case SG_LEVEL_INFO: return LineLevel::kInfo;
    case SG_LEVEL_WARN: return LineLevel::kWarn;
    case SG_LEVEL_ERROR: return LineLevel::kError;
    case SG_LEVEL_CRITICAL: return LineLevel::kCritical;
  }
  return LineLevel::kInfo;
}

KeyValueOperation to_operation(sg_key_value_op operation) {
  switch (operation) {
    case SG_KEY_VALUE_OPEN: return KeyValueOperation::kOpen;
    case SG_KEY_VALUE_GET: return KeyValueOperation::kGet;
    case SG_KEY_VALUE_SET: return KeyValueOperation::kSet;
    case SG_KEY_VALUE_DELETE: return KeyValueOperation::kDelete;
    case SG_KEY_VALUE_EXISTS: return KeyValueOperation::kExists;
    case SG_KEY_VALUE_LIST_KEYS: return KeyValueOperation::kListKeys;
    case SG_KEY_VALUE_INCREMENT: return KeyValueOperation::kIncrement;
    case SG_KEY_VALUE_COMPARE_AND_SWAP: return KeyValueOperation::kCompareAndSwap;
    case SG_KEY_VALUE_GET_MANY: return KeyValueOperation::kGetMany;
    case SG_KEY_VALUE_SET_MANY: return KeyValueOperation::kSetMany;
    case SG_KEY_VALUE_DELETE_MANY: return KeyValueOperation::kDeleteMany;
  }
  return KeyValueOperation::kOpen;
}

}  // namespace

void on_guest_line(void* user, const sg_log_line* line) {
  if (user == nullptr) return;
  static_cast<InstanceHost*>(user)->line(
      {to_source(line->source), to_level(line->level), to_text(line->context), to_text(line->text)});
}

void on_guest_key_value(void* user, const sg_key_value_request* from, sg_key_value_completion* completion) {
  KeyValueCompletion owned(completion);
  if (user == nullptr) return owned.finish({.status = KeyValueStatus::kNoSuchStore});
  Texts keys;
  Texts values;
  KeyValueRequest request;
  request.operation = to_operation(from->op);
  request.bucket = from->bucket;
  request.identifier = to_text(from->identifier);
  request.keys = view(from->keys, from->keys_len, keys);
  request.values = view(from->values, from->values_len, values);
  if (from->has_expected) request.expected = to_text(from->expected);
  request.delta = from->delta;
  if (from->has_cursor) request.cursor = to_text(from->cursor);
  static_cast<InstanceHost*>(user)->key_value(request, std::move(owned));
}

}  // namespace sandgate::sandbox
