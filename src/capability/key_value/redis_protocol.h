// SPDX-License-Identifier: Apache-2.0
//
// The Redis protocol (RESP2) without I/O: hiredis writes commands and reads replies, this bounds and copies them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sandgate::capability {

struct RedisReply {
  enum class Kind : unsigned char { kStatus, kError, kInteger, kNil, kText, kArray };
  Kind kind = Kind::kNil;
  std::string text;  // kStatus, kError, kText
  std::int64_t number = 0;
  std::vector<RedisReply> elements;
};

// A command and its arguments, as they go over the wire.
std::string redis_command(std::span<const std::string_view> words);
inline std::string redis_command(std::initializer_list<std::string_view> words) {
  return redis_command(std::span(words.begin(), words.size()));
}

class RedisReader {
 public:
  // Of one reply, which is held in memory: the largest that guests may get, and room for what stands around it.
  static constexpr std::size_t kReplyBytesMax = std::size_t{16} << 20;
  enum class Next : unsigned char { kReply, kMore, kBroken };

  RedisReader();
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  // Takes bytes as they come. Call next() until it says kMore before feeding more.
  void feed(std::string_view bytes);
  // The next whole reply. kBroken: no valid protocol, or too large; nothing follows.
  Next next(RedisReply& reply);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::size_t bytes_ = 0;  // fed since the last reply
};

}  // namespace sandgate::capability
