// SPDX-License-Identifier: Apache-2.0
//
// One line per exchange on standard output. Lines gather in a buffer per loop that goes out in few writes: when it is
// full enough, or after kFlushAfter. A loop never waits for whoever reads the lines: when the pipe is full they stay in
// the buffer, and beyond its bound new ones are dropped and counted. (A disk that is slow does hold up the loop, as it
// does every writer of files.) Made before the loops run; destroyed after their threads ended and before the Loop
// objects.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/loop.h"
#include "exchange/exchange.h"
#include "telemetry/access_line.h"

namespace sandgate::telemetry {

struct AccessLogOptions {
  AccessLogFormat format = AccessLogFormat::kText;
  LoggedQuery query = LoggedQuery::kHidden;
  int fd = 1;  // not closed
};

class AccessLog {
 public:
  // About fifty lines: a write costs a microsecond then, shared by fifty requests.
  static constexpr std::size_t kFlushBytes = 8192;
  // A person who watches notices no delay.
  static constexpr Milliseconds kFlushAfter{100};
  // Lines of a second or so while a reader pauses; beyond it they are dropped.
  static constexpr std::size_t kBufferBytesMax = std::size_t{256} << 10;

  static std::unique_ptr<AccessLog> create(const AccessLogOptions& options, unsigned loops);
  AccessLog(const AccessLogOptions& options, unsigned loops);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  // Writes what is left, waiting a moment for a reader that is slow.
  ~AccessLog();

  // On the exchange's loop, after it ended.
  void record(const Exchange& exchange, Nanoseconds duration);
  // Writes what this loop has gathered, as far as it goes without waiting. On that loop's thread.
  void flush(unsigned loop_index);
  // Lines lost since start. Any thread.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct LoopBuffer;
  enum class Patience : unsigned char { kNone, kSome };

  void write_out(LoopBuffer& buffer, Patience patience);
  void drop(std::uint64_t lines) { dropped_.fetch_add(lines, std::memory_order_relaxed); }

  const AccessLogOptions options_;
  const bool regular_file_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;  // one writer at a time: what poll() promised to one loop another must not use up
  std::vector<std::unique_ptr<LoopBuffer>> buffers_;
};

}  // namespace sandgate::telemetry
