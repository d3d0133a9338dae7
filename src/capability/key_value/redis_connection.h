// SPDX-License-Identifier: Apache-2.0
//
// One connection to Redis, kept up on one loop: commands of many guests go out together, one write a turn, and replies
// come in the order of the commands. While it is away commands fail at once, and it tries again, later each time.
// Loop thread only. Commands whose reply does not come in time end the connection: nothing behind them would, either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/task.h"
#include "capability/key_value/redis_protocol.h"
#include "capability/key_value/state_options.h"
#include "net/loop_thread.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls_client.h"

namespace sandgate::capability {

class RedisConnection {
 public:
  // Commands that wait for replies, and bytes that wait for the socket: what a loop sends in the time of one timeout
  // and more. The next ones are told that Redis is away.
  static constexpr std::size_t kInFlightMax = 4096;
  static constexpr std::size_t kOutBytesMax = std::size_t{64} << 20;
  // Between two attempts.
  static constexpr Milliseconds kPauseLeast{20};
  static constexpr Milliseconds kPauseMost{2000};
  // One that was up this long is replaced at once when it ends: Redis restarts, or closes what is idle.
  static constexpr Nanoseconds kSteady = std::chrono::seconds(1);

  // Null: Redis is away, and whether it ran the command is not known.
  using OnReply = std::move_only_function<void(RedisReply*)>;
  // Hears of the connection's changes, on its loop.
  class Owner {
   public:
    virtual void came_up() = 0;
    virtual void went_down() = 0;
    // An attempt failed; `why` is for the log.
    virtual void is_away(std::string_view why) = 0;

   protected:
    ~Owner() = default;
  };

  // All outlive this. `tls` is null for a plain connection; all connections may share it.
  RedisConnection(net::LoopThread& loop, const StateUrl& url, std::shared_ptr<net::TlsClient> tls, Milliseconds timeout,
                  net::Resolver& names, Owner& owner);
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  void start() { live(); }
  // Ends the connection; what waits is told so. The loop must run some more turns before this is destroyed.
  void stop();
  // `on_reply` may be called from within.
  void send(std::string_view command, OnReply on_reply);

 private:
  enum class State : unsigned char { kConnecting, kReady, kAway };
  struct InFlight {
    OnReply on_reply;
    Nanoseconds deadline;
  };
  // Shared with a look-up that may come late.
  struct LookingUp {
    Event done;
    Result<std::vector<net::Address>> addresses = fail(ErrorKind::kOverloaded, "the name was not looked up");
  };

  Detached live();
  Task<void> connect_and_read();
  // A stream that Redis listens to. kDisconnected: stop() was called; else why there is none.
  Task<Result<net::StreamPtr>> reach();
  Task<Result<net::Address>> look_up();
  Task<void> pause(Milliseconds time);
  void greet();
  void greeted(const RedisReply* reply);
  bool take_replies(RedisReader& reader);
  void change(State state);
  void fail_all();
  void schedule_write();
  Detached write(net::StreamPtr stream);
  static void timed_out(void* owner);
  static void paused(void* owner);
  static void write_turn(void* owner);

  net::LoopThread& loop_;
  const StateUrl& url_;
  const std::shared_ptr<net::TlsClient> tls_;
  const Milliseconds timeout_;
  net::Resolver& names_;
  Owner& owner_;
  State state_ = State::kConnecting;
  bool stopping_ = false;
  std::string why_;  // the last attempt ended
  std::size_t attempts_ = 0;
  Nanoseconds ready_since_{0};
  Nanoseconds ready_for_{0};
  std::deque<InFlight> in_flight_;
  std::string out_;
  net::StreamPtr connecting_;  // while a connection is made
  net::StreamPtr stream_;      // while connected
  bool writing_ = false;
  bool write_scheduled_ = false;
  std::shared_ptr<LookingUp> looking_up_;
  Event pause_over_;
  Timer pause_timer_;
  Timer reply_timer_;  // of the first in flight
};

}  // namespace sandgate::capability
