// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/redis_protocol.h"

#include <hiredis/hiredis.h>

#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace sandgate::capability {
namespace {

struct FreeReply {
  void operator()(void* reply) const { ::freeReplyObject(reply); }
};

std::string_view text_of(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, reply.len);
}

// As deep as hiredis reads: 7.
RedisReply copied(const redisReply& from) {
  RedisReply to;
  switch (from.type) {
    case REDIS_REPLY_STATUS:
      to.kind = RedisReply::Kind::kStatus;
      to.text = text_of(from);
      break;
    case REDIS_REPLY_ERROR:
      to.kind = RedisReply::Kind::kError;
      to.text = text_of(from);
      break;
    case REDIS_REPLY_INTEGER:
      to.kind = RedisReply::Kind::kInteger;
      to.number = from.integer;
      break;
    case REDIS_REPLY_STRING:
      to.kind = RedisReply::Kind::kText;
      to.text = text_of(from);
      break;
    case REDIS_REPLY_ARRAY:
      to.kind = RedisReply::Kind::kArray;
      for (std::size_t i = 0; i < from.elements; ++i) to.elements.push_back(copied(*from.element[i]));
      break;
    default: break;
  }
  return to;
}

}  // namespace

std::string redis_command(std::span<const std::string_view> words) {
  std::vector<const char*> starts;
  std::vector<std::size_t> lengths;
  for (std::string_view word : words) {
    starts.push_back(word.data());
    lengths.push_back(word.size());
  }
  char* command = nullptr;
  int length = ::redisFormatCommandArgv(&command, static_cast<int>(words.size()), starts.data(), lengths.data());
  SANDGATE_CHECK(length >= 0);  // no memory left
  std::string bytes(command, static_cast<std::size_t>(length));
  ::redisFreeCommand(command);
  return bytes;
}

struct RedisReader::Parser {
  redisReader* reader = ::redisReaderCreate();
  Parser() { SANDGATE_CHECK(reader != nullptr); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { ::redisReaderFree(reader); }
};

RedisReader::RedisReader() : parser_(std::make_unique<Parser>()) {}
RedisReader::~RedisReader() = default;

void RedisReader::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  // Errors stay in the reader; next() tells of them.
  static_cast<void>(::redisReaderFeed(parser_->reader, bytes.data(), bytes.size()));
}

RedisReader::Next RedisReader::next(RedisReply& reply) {
  void* parsed = nullptr;
  if (::redisReaderGetReply(parser_->reader, &parsed) != REDIS_OK) return Next::kBroken;
  if (parsed == nullptr) return bytes_ > kReplyBytesMax ? Next::kBroken : Next::kMore;
  std::unique_ptr<void, FreeReply> owned(parsed);
  reply = copied(*static_cast<const redisReply*>(parsed));
  bytes_ = 0;
  return Next::kReply;
}

}  // namespace sandgate::capability
