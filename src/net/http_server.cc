// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "net/listener.h"
#include "net/loop_thread.h"
#include "net/server_connection.h"
#include "platform/log.h"

namespace sandgate::net {
namespace {

// The connections of one loop; touched on that loop's thread only, but for the count.
struct LoopConnections {
  LoopThread* loop = nullptr;
  ServerConnection* first = nullptr;
  std::atomic<std::size_t> count{0};  // handed over ones included
};

class Server final : public HttpServer, private Listener::Sink, private ConnectionOwner {
 public:
  Server(std::vector<LoopThread*> loops, const Handler& handler, const ServerOptions& options)
      : handler_(handler), options_(options), loops_(loops.size()) {
    for (std::size_t i = 0; i < loops.size(); ++i) loops_[i].loop = loops[i];
  }

  Result<Address> listen(const Address& address) override {
    Result<std::unique_ptr<Listener>> listener = Listener::create(*loops_.front().loop, address, *this);
    if (!listener) return fail(std::move(listener.error()));
    listeners_.push_back(std::move(*listener));
    return listeners_.back()->address();
  }

  void start() override {
    loops_.front().loop->post([this] {
      for (auto& listener : listeners_) listener->start();
    });
  }

  void drain() override {
    draining_.store(true, std::memory_order_release);
    loops_.front().loop->post([this] {
      for (auto& listener : listeners_) listener->stop();
    });
    on_every_connection([](ServerConnection& connection) { connection.drain(); });
  }

  void close_all() override {
    on_every_connection([](ServerConnection& connection) { connection.close(); });
  }

  std::size_t open_connections() const override { return counters_.open.load(std::memory_order_acquire); }
  const ServerCounters& counters() const override { return counters_; }

 private:
  bool has_room() override { return open_connections() < options_.connections_max; }

  void paused() override {
    if (counters_.accept_pauses.fetch_add(1, std::memory_order_relaxed) == 0) {
      log::warning("accepting pauses: {} connections are open (limit {}), or no descriptor is left; raise `ulimit -n`", open_connections(),
                   options_.connections_max);
    }
  }

  void accepted(int socket, const Address& peer, const Address& local) override {
    LoopConnections& target = *std::min_element(loops_.begin(), loops_.end(), [](const LoopConnections& a, const LoopConnections& b) {
      return a.count.load(std::memory_order_relaxed) < b.count.load(std::memory_order_relaxed);
    });
    target.count.fetch_add(1, std::memory_order_relaxed);
    counters_.open.fetch_add(1, std::memory_order_relaxed);
    counters_.accepted.fetch_add(1, std::memory_order_relaxed);
    if (target.loop == loops_.front().loop) {
      adopt(target, socket, peer, local);
    } else {
      target.loop->post([this, &target, socket, peer, local] { adopt(target, socket, peer, local); });
    }
  }

  // On the target's thread.
  void adopt(LoopConnections& target, int fd, const Address& peer, const Address& local) {
    Socket socket(target.loop->context().get_executor());
    boost::system::error_code failure;
    socket.assign(asio::generic::stream_protocol(peer.storage.ss_family, 0), fd, failure);
    if (failure) {
      ::close(fd);
      forget(target);
      return;
    }
    socket.non_blocking(true, failure);
    ServerConnection* connection = ServerConnection::start(*this, *target.loop, std::move(socket), peer, local);
    connection->next = target.first;
    if (target.first != nullptr) target.first->previous = connection;
    target.first = connection;
  }

  void forget(LoopConnections& target) {
    target.count.fetch_sub(1, std::memory_order_relaxed);
    counters_.open.fetch_sub(1, std::memory_order_release);
  }

  const Handler& handler() const override { return handler_; }
  const ServerOptions& options() const override { return options_; }
  ServerCounters& counters() override { return counters_; }
  bool draining() const override { return draining_.load(std::memory_order_relaxed); }

  void connection_ended(ServerConnection& connection) override {
    LoopConnections& home = loops_[connection.loop().index()];
    if (connection.previous != nullptr) {
      connection.previous->next = connection.next;
    } else {
      home.first = connection.next;
    }
    if (connection.next != nullptr) connection.next->previous = connection.previous;
    forget(home);
  }

  void on_every_connection(void (*act)(ServerConnection&)) {
    for (LoopConnections& home : loops_) {
      home.loop->post([&home, act] {
        for (ServerConnection* connection = home.first; connection != nullptr;) {
          ServerConnection* next = connection->next;
          act(*connection);
          connection = next;
        }
      });
    }
  }

  const Handler& handler_;
  ServerOptions options_;
  std::vector<LoopConnections> loops_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  ServerCounters counters_;
  std::atomic<bool> draining_{false};
};

}  // namespace

std::unique_ptr<HttpServer> HttpServer::create(std::vector<LoopThread*> loops, const Handler& handler, const ServerOptions& options) {
  return std::make_unique<Server>(std::move(loops), handler, options);
}

}  // namespace sandgate::net
