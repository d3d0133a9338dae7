// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/redis_commands.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "capability/key_value/decimal.h"

namespace sandgate::capability {
namespace {

using sandbox::KeyValueOperation;
using sandbox::KeyValueReply;
using sandbox::KeyValueRequest;
using Kind = RedisReply::Kind;

// Keys that Redis looks at for a page, within one command that nobody interrupts.
constexpr std::string_view kScanCount = "500";

// The sizes first: a reply is in memory, here and there, before anybody can refuse it.
constexpr std::string_view kGetMany = R"(local bytes = 0
for _, key in ipairs(KEYS) do bytes = bytes + redis.call('STRLEN', key) end
if bytes > tonumber(ARGV[1]) then return -1 end
return redis.call('MGET', unpack(KEYS)))";

constexpr std::string_view kSwap = R"(if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1)";

// For MATCH: what means more than itself gets a backslash.
std::string escaped(std::string_view text) {
  std::string out;
  for (char byte : text) {
    if (std::string_view("*?[]\\^-").find(byte) != std::string_view::npos) out += '\\';
    out += byte;
  }
  return out;
}

std::string with_keys(std::string_view command, const KeyValueRequest& request, std::string_view prefix) {
  std::vector<std::string> keys;
  for (std::string_view key : request.keys) keys.push_back(fmt::format("{}{}", prefix, key));
  std::vector<std::string_view> words = {command};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    words.push_back(keys[i]);
    if (!request.values.empty()) words.push_back(request.values[i]);
  }
  return redis_command(words);
}

std::string get_many(const KeyValueRequest& request, std::string_view prefix) {
  std::vector<std::string> keys;
  for (std::string_view key : request.keys) keys.push_back(fmt::format("{}{}", prefix, key));
  std::string count = std::to_string(keys.size());
  std::string most = std::to_string(KeyValueReply::kBytesMax);
  std::vector<std::string_view> words = {"EVAL", kGetMany, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.push_back(most);
  return redis_command(words);
}

Answer broken() { return refusal("the store answered with something else"); }

Answer refused(std::string_view text) {
  if (text.starts_with("ERR value is not an integer")) return refusal(kNoNumber);
  if (text.starts_with("ERR increment or decrement would overflow")) return refusal(kBeyond64Bits);
  return refusal("the store refused the operation");
}

std::optional<std::string> value_of(RedisReply& reply) {
  if (reply.kind != Kind::kText) return std::nullopt;
  return std::move(reply.text);
}

Answer values(KeyValueOperation operation, std::size_t keys, RedisReply reply) {
  Answer answer;
  if (operation == KeyValueOperation::kGet) {
    if (reply.kind != Kind::kText && reply.kind != Kind::kNil) return broken();
    if (reply.text.size() > KeyValueReply::kBytesMax) return refusal(kReplyTooLarge);
    answer.entries.push_back(value_of(reply));
    return answer;
  }
  if (reply.kind == Kind::kInteger) return refusal(kReplyTooLarge);
  if (reply.kind != Kind::kArray || reply.elements.size() != keys) return broken();
  for (RedisReply& element : reply.elements) answer.entries.push_back(value_of(element));
  return answer;
}

// [cursor, [key, ...]], where 0 is the end.
Answer page(std::string_view prefix, RedisReply reply) {
  if (reply.kind != Kind::kArray || reply.elements.size() != 2) return broken();
  std::string& cursor = reply.elements[0].text;
  std::vector<RedisReply>& keys = reply.elements[1].elements;
  if (!parse_decimal<std::uint64_t>(cursor) || keys.size() > KeyValueReply::kKeysMax) return broken();
  Answer answer;
  for (RedisReply& key : keys) {
    if (key.kind == Kind::kText && key.text.starts_with(prefix)) answer.keys.push_back(key.text.substr(prefix.size()));
  }
  if (cursor != "0") answer.cursor = std::move(cursor);
  return answer;
}

}  // namespace

std::string redis_key_prefix(std::string_view prefix, std::string_view store) {
  return fmt::format("{}:{}:{}:", prefix, store.size(), store);
}

std::string redis_command(const KeyValueRequest& request, std::string_view prefix) {
  switch (request.operation) {
    case KeyValueOperation::kOpen: break;
    case KeyValueOperation::kGet: return with_keys("GET", request, prefix);
    case KeyValueOperation::kSet: return with_keys("SET", request, prefix);
    case KeyValueOperation::kDelete:
    case KeyValueOperation::kDeleteMany: return with_keys("DEL", request, prefix);
    case KeyValueOperation::kExists: return with_keys("EXISTS", request, prefix);
    case KeyValueOperation::kGetMany: return get_many(request, prefix);
    case KeyValueOperation::kSetMany: return with_keys("MSET", request, prefix);
    case KeyValueOperation::kListKeys:
      return redis_command({"SCAN", request.cursor.value_or("0"), "MATCH", escaped(prefix) + "*", "COUNT", kScanCount});
    case KeyValueOperation::kIncrement:
      return redis_command({"INCRBY", fmt::format("{}{}", prefix, request.keys[0]), std::to_string(request.delta)});
    case KeyValueOperation::kCompareAndSwap: {
      std::string key = fmt::format("{}{}", prefix, request.keys[0]);
      if (!request.expected) return redis_command({"SET", key, request.values[0], "NX"});
      return redis_command({"EVAL", kSwap, "1", key, *request.expected, request.values[0]});
    }
  }
  return redis_command({"PING"});
}

bool redis_cannot_now(const RedisReply& reply) {
  constexpr std::array<std::string_view, 9> kCodes = {"LOADING", "READONLY", "MASTERDOWN", "MISCONF",   "CLUSTERDOWN",
                                                      "OOM",     "NOAUTH",   "BUSY",       "NOREPLICAS"};
  if (reply.kind != Kind::kError) return false;
  std::string_view code = std::string_view(reply.text).substr(0, reply.text.find(' '));
  return std::ranges::find(kCodes, code) != kCodes.end();
}

Answer redis_answer(KeyValueOperation operation, std::size_t keys, std::string_view prefix, RedisReply reply) {
  if (reply.kind == Kind::kError) return refused(reply.text);
  Answer answer;
  switch (operation) {
    case KeyValueOperation::kOpen: return broken();
    case KeyValueOperation::kGet:
    case KeyValueOperation::kGetMany: return values(operation, keys, std::move(reply));
    case KeyValueOperation::kSet:
    case KeyValueOperation::kSetMany: return reply.kind == Kind::kStatus ? answer : broken();
    case KeyValueOperation::kDelete:
    case KeyValueOperation::kDeleteMany: return reply.kind == Kind::kInteger ? answer : broken();
    case KeyValueOperation::kExists: answer.yes = reply.number != 0; break;
    case KeyValueOperation::kListKeys: return page(prefix, std::move(reply));
    case KeyValueOperation::kIncrement: answer.number = reply.number; break;
    case KeyValueOperation::kCompareAndSwap:
      // OK or nil to SET NX, 1 or 0 from the script.
      answer.yes = reply.kind == Kind::kStatus || reply.number == 1;
      return reply.kind == Kind::kStatus || reply.kind == Kind::kNil || reply.kind == Kind::kInteger ? answer
                                                                                                     : broken();
  }
  return reply.kind == Kind::kInteger ? answer : broken();
}

}  // namespace sandgate::capability
