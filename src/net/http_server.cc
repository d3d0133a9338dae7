// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.h"
#include "net/listener.h"
#include "net/loop_thread.h"
#include "net/server_connection.h"
#include "platform/log.h"

namespace sandgate::net {
namespace {

// When accepting pauses for want of room, connections that were idle for this long end, so many of each loop at a time.
constexpr Milliseconds kIdleForRoom{1000};
constexpr std::size_t kMadeAtOnce = 32;

// The connections of one loop; touched on that loop's thread only, but for the count.
struct LoopConnections {
  LoopThread* loop = nullptr;
  ServerConnection* first = nullptr;
  ServerConnection* visited_next = nullptr;  // of a walk through the list: what is visited may end any of them
  std::atomic<std::size_t> count{0};         // handed over ones included
};

class Server final : public HttpServer, private Listener::Sink, private ConnectionOwner {
 public:
  Server(std::vector<LoopThread*> loops, const Handler& handler, const ServerOptions& options)
      : handler_(handler), options_(options), clients_(options.connections_per_client_max), loops_(loops.size()) {
    for (std::size_t i = 0; i < loops.size(); ++i) {
      SANDGATE_CHECK(loops[i]->index() == i);
      loops_[i].loop = loops[i];
    }
  }

  Result<Address> listen(const Address& address) override {
    Result<std::unique_ptr<Listener>> listener =
        Listener::create(*loops_.front().loop, address, *this, options_.unix_socket_mode);
    if (!listener) return fail(std::move(listener.error()));
    listeners_.push_back(std::move(*listener));
    return listeners_.back()->address();
  }

  Address adopt(ListeningSocket socket) override {
    listeners_.push_back(Listener::adopt(*loops_.front().loop, std::move(socket), *this));
    return listeners_.back()->address();
  }

  Result<std::vector<ListeningSocket>> share_sockets() const override {
    std::vector<ListeningSocket> sockets;
    for (const auto& listener : listeners_) {
      Result<ListeningSocket> shared = listener->share();
      if (!shared) return fail(std::move(shared.error()));
      sockets.push_back(*std::move(shared));
    }
    return sockets;
  }

  void start() override {
    listening_.store(true, std::memory_order_release);
    loops_.front().loop->post([this] {
      for (auto& listener : listeners_) listener->start();
    });
  }

  void drain() override { hand_over({}); }

  void hand_over(std::vector<Address> taken) override {
    draining_.store(true, std::memory_order_release);
    stop_listening(Listener::Backlog::kAccept, std::move(taken));
    on_every_connection([](ServerConnection& connection) { connection.drain(); });
  }

  void close_all() override {
    closing_.store(true, std::memory_order_release);
    draining_.store(true, std::memory_order_release);
    stop_listening(Listener::Backlog::kReset, {});
    on_every_connection([](ServerConnection& connection) { connection.close(); });
  }

  bool listening() const override { return listening_.load(std::memory_order_acquire); }
  std::size_t open_connections() const override { return counters_.open.load(std::memory_order_acquire); }
  const ServerCounters& counters() const override { return counters_; }

 private:
  bool has_room() override { return open_connections() < options_.connections_max; }

  void paused() override {
    if (!has_room()) make_room();
    if (counters_.accept_pauses.fetch_add(1, std::memory_order_relaxed) == 0) {
      log::warning("accepting pauses: {} connections are open (limit {}), or no descriptor is left; raise `ulimit -n`",
                   open_connections(), options_.connections_max);
    }
  }

  void accepted(platform::Descriptor socket, const Address& peer, const Address& local) override {
    LoopConnections& target = *std::ranges::min_element(
        loops_, {}, [](const LoopConnections& home) { return home.count.load(std::memory_order_relaxed); });
    target.count.fetch_add(1, std::memory_order_relaxed);
    counters_.open.fetch_add(1, std::memory_order_relaxed);
    counters_.accepted.fetch_add(1, std::memory_order_relaxed);
    if (&target == &loops_.front()) return adopt(target, std::move(socket), peer, local);
    // Shared, because a job can be copied; a job that is dropped closes it.
    auto handed_over = std::make_shared<platform::Descriptor>(std::move(socket));
    target.loop->post(
        [this, &target, handed_over, peer, local] { adopt(target, std::move(*handed_over), peer, local); });
  }

  // On the target's thread.
  void adopt(LoopConnections& target, platform::Descriptor socket, const Address& peer, const Address& local) {
    StreamPtr stream;
    if (!closing_.load(std::memory_order_acquire)) stream = StreamPtr(Stream::create(*target.loop, std::move(socket)));
    if (!stream) return forget(target);
    ServerConnection* connection = ServerConnection::start(*this, std::move(stream), peer, local);
    connection->listed_after = target.first;
    if (target.first != nullptr) target.first->listed_before = connection;
    target.first = connection;
  }

  void forget(LoopConnections& target) {
    target.count.fetch_sub(1, std::memory_order_relaxed);
    counters_.open.fetch_sub(1, std::memory_order_release);
  }

  const Handler& handler() const override { return handler_; }
  const ServerOptions& options() const override { return options_; }
  ServerCounters& counters() override { return counters_; }
  ClientConnections& clients() override { return clients_; }
  bool draining() const override { return draining_.load(std::memory_order_relaxed); }

  void connection_ended(ServerConnection& connection) override {
    LoopConnections& home = loops_[connection.loop().index()];
    if (home.visited_next == &connection) home.visited_next = connection.listed_after;
    if (connection.listed_before != nullptr) {
      connection.listed_before->listed_after = connection.listed_after;
    } else {
      home.first = connection.listed_after;
    }
    if (connection.listed_after != nullptr) connection.listed_after->listed_before = connection.listed_before;
    forget(home);
  }

  void stop_listening(Listener::Backlog backlog, std::vector<Address> shared) {
    loops_.front().loop->post([this, backlog, shared = std::move(shared)] {
      for (auto& listener : listeners_)
        listener->stop(std::ranges::find(shared, listener->address()) == shared.end() ? backlog
                                                                                      : Listener::Backlog::kShared);
      listening_.store(false, std::memory_order_release);
    });
  }

  // A client that asks for something is worth more than one that was idle for long.
  void make_room() {
    for (LoopConnections& home : loops_) {
      home.loop->post([&home] {
        Nanoseconds since = home.loop->now() - kIdleForRoom;
        std::size_t left = kMadeAtOnce;
        for (ServerConnection* connection = home.first; connection != nullptr && left > 0;
             connection = home.visited_next) {
          home.visited_next = connection->listed_after;
          if (connection->yield_room(since)) --left;
        }
      });
    }
  }

  void on_every_connection(void (*act)(ServerConnection&)) {
    for (LoopConnections& home : loops_) {
      home.loop->post([&home, act] {
        for (ServerConnection* connection = home.first; connection != nullptr; connection = home.visited_next) {
          home.visited_next = connection->listed_after;
          act(*connection);
        }
      });
    }
  }

  const Handler& handler_;
  ServerOptions options_;
  ClientConnections clients_;
  std::vector<LoopConnections> loops_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  ServerCounters counters_;
  std::atomic<bool> listening_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> closing_{false};
};

}  // namespace

std::unique_ptr<HttpServer> HttpServer::create(std::vector<LoopThread*> loops, const Handler& handler,
                                               const ServerOptions& options) {
  return std::make_unique<Server>(std::move(loops), handler, options);
}

}  // namespace sandgate::net
