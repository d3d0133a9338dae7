// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_log.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

namespace sandgate::telemetry {
namespace {

// After poll() said so, a pipe takes PIPE_BUF bytes without waiting, and as a whole.
constexpr std::size_t kPieceBytesMax = 4096;
static_assert(kLineBytesMax <= kPieceBytesMax);
// How long the end of the process waits for a reader, per piece.
constexpr int kLastWaitMs = 100;

bool is_regular_file(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Whether a piece may be written without waiting longer than this.
bool wait_writable(int fd, int timeout_ms) {
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&waiting, 1, timeout_ms) == 1;
}

// The longest part of `text` that is whole lines and fits a piece; all of it, when its first line does not.
std::string_view next_piece(std::string_view text, bool unbounded) {
  if (unbounded || text.size() <= kPieceBytesMax) return text;
  std::size_t end = text.rfind('\n', kPieceBytesMax - 1);
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

}  // namespace

struct AccessLog::LoopBuffer {
  AccessLog* log = nullptr;
  std::string text;
  SecondText seconds;
  std::optional<Timer> timer;  // made on the loop, with its first line

  static void on_timer(void* owner) {
    auto& buffer = *static_cast<LoopBuffer*>(owner);
    buffer.log->write_out(buffer, Patience::kNone);
  }
};

std::unique_ptr<AccessLog> AccessLog::create(const AccessLogOptions& options, unsigned loops) {
  return std::make_unique<AccessLog>(options, loops);
}

AccessLog::AccessLog(const AccessLogOptions& options, unsigned loops)
    : options_(options), regular_file_(is_regular_file(options.fd)) {
  for (unsigned i = 0; i < loops; ++i) {
    buffers_.push_back(std::make_unique<LoopBuffer>());
    buffers_.back()->log = this;
  }
}

AccessLog::~AccessLog() {
  for (const auto& buffer : buffers_) write_out(*buffer, Patience::kSome);
}

void AccessLog::record(const Exchange& exchange, Nanoseconds duration) {
  if (options_.format == AccessLogFormat::kOff) return;
  LoopBuffer& buffer = *buffers_[exchange.loop().index()];
  if (buffer.text.size() + kLineBytesMax > kBufferBytesMax) {
    drop(1);
    return;
  }
  append_access_line(buffer.text, exchange, duration, options_.format, options_.query, buffer.seconds);
  if (!buffer.timer) buffer.timer.emplace(exchange.loop(), &LoopBuffer::on_timer, &buffer);
  // A full pipe is not asked again with every line, only by the timer.
  bool first_time_full = buffer.text.size() >= kFlushBytes && buffer.text.size() < kFlushBytes + kLineBytesMax;
  if (first_time_full) write_out(buffer, Patience::kNone);
  if (!buffer.text.empty() && !buffer.timer->armed()) buffer.timer->arm(kFlushAfter);
}

void AccessLog::flush(unsigned loop_index) { write_out(*buffers_[loop_index], Patience::kNone); }

void AccessLog::write_out(LoopBuffer& buffer, Patience patience) {
  std::string_view rest = buffer.text;
  {
    std::lock_guard lock(mutex_);
    while (!rest.empty()) {
      if (!regular_file_ && !wait_writable(options_.fd, patience == Patience::kSome ? kLastWaitMs : 0)) break;
      std::string_view piece = next_piece(rest, regular_file_);
      ssize_t wrote = ::write(options_.fd, piece.data(), piece.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0 && errno == EAGAIN) break;
      if (wrote < 0) {
        // The reader is gone or the disk is full: keeping the lines would not help.
        drop(static_cast<std::uint64_t>(std::ranges::count(rest, '\n')));
        rest = {};
        break;
      }
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  buffer.text.erase(0, buffer.text.size() - rest.size());
  if (!buffer.text.empty() && buffer.timer && patience == Patience::kNone) buffer.timer->arm(kFlushAfter);
}

}  // namespace sandgate::telemetry
