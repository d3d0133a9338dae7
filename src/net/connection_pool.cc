// SPDX-License-Identifier: Apache-2.0
#include "net/connection_pool.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/loop_thread.h"
#include "net/upstream_connection.h"
#include "platform/descriptor.h"
#include "platform/file.h"

namespace sandgate::net {
namespace {

// How often idle connections are looked through for old ones.
constexpr Milliseconds kSweep{1000};

// Errors of connect(2) that are about this machine and not about the server.
bool wants_resources(int error_number) {
  return error_number == EADDRNOTAVAIL || error_number == EAGAIN || error_number == ENOBUFS || error_number == ENOMEM;
}

class Pool final : public ConnectionPool {
 public:
  Pool(LoopThread& loop, std::vector<Address> server, const PoolOptions& options)
      : loop_(loop), server_(std::move(server)), options_(options), sweep_(loop, &Pool::sweep, this) {}
  ~Pool() override { close_idle(); }

  Task<Result<Lease>> lease(Cancellation& cancellation, bool fresh) override {
    while (!fresh && newest_ != nullptr) {
      std::unique_ptr<UpstreamConnection> connection(newest_);
      unlink(*connection);
      connection->wake();
      // It may have closed, or said something, that the loop was not told yet. Such bytes would be read as the answer.
      if (connection->silent()) co_return Lease(*this, std::move(connection), true);
    }
    Result<Lease> connected = co_await connect(cancellation);
    co_return connected;
  }

  void close_idle() override {
    while (newest_ != nullptr) {
      UpstreamConnection* connection = newest_;
      unlink(*connection);
      delete connection;
    }
  }

  std::size_t idle() const override { return idle_; }

  void close_oldest_idle() override {
    if (oldest_ != nullptr) drop(*oldest_);
  }

  void set_addresses(std::vector<Address> addresses) override {
    server_ = std::move(addresses);
    ++generation_;
    close_idle();
  }

 private:
  // Tries the addresses one after the other, each connection beginning with the next one.
  Task<Result<Lease>> connect(Cancellation& cancellation) {
    if (cancellation.cancelled()) co_return fail(ErrorKind::kDisconnected, "the exchange was cancelled");
    if (options_.bound != nullptr && !options_.bound->try_open())
      co_return fail(ErrorKind::kOverloaded, "the server has all the connections that it may have");
    ConnectionPermit permit(options_.bound, loop_);
    std::size_t left = server_.size();
    std::uint32_t generation = generation_;
    for (;;) {
      Address address = next_address();
      Result<StreamPtr> stream = co_await connect_to(address, cancellation);
      if (stream) {
        auto connection = std::make_unique<UpstreamConnection>(*std::move(stream), options_, std::move(permit));
        connection->generation = generation;
        co_return Lease(*this, std::move(connection), false);
      }
      bool unreached = stream.error().kind == ErrorKind::kUpstream || stream.error().kind == ErrorKind::kTimedOut;
      // A look-up that ended meanwhile makes the rest stale; the next request has the new ones.
      if (!unreached || --left == 0 || generation != generation_) co_return fail(std::move(stream.error()));
    }
  }

  Address next_address() {
    if (next_address_ >= server_.size()) next_address_ = 0;
    return server_[next_address_++];
  }

  Task<Result<StreamPtr>> connect_to(Address address, Cancellation& cancellation) {
    int family = address.storage.ss_family;
    platform::Descriptor descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!descriptor)
      co_return fail(ErrorKind::kOverloaded, "no connection to the upstream can be made now",
                     platform::system_error_text(errno));
    int on = 1;
    if (family != AF_UNIX) ::setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    int started = ::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length);
    int error_number = started == 0 ? 0 : errno;
    StreamPtr stream(Stream::create(loop_, std::move(descriptor)));
    if (!stream) co_return fail(ErrorKind::kOverloaded, "no connection to the upstream can be made now");
    if (error_number == EINPROGRESS) {
      CancelHook hook(cancellation, [](void* connecting) { static_cast<Stream*>(connecting)->close(); }, &*stream);
      error_number = co_await stream->connected(options_.connect);
    }
    if (error_number == 0) {
      Status secured = co_await secure(*stream, cancellation);
      if (!secured) co_return fail(std::move(secured.error()));
      co_return stream;
    }
    if (wants_resources(error_number)) {
      co_return fail(ErrorKind::kOverloaded, "no connection to the upstream can be made now",
                     platform::system_error_text(error_number));
    }
    if (error_number == ECANCELED) co_return fail(ErrorKind::kDisconnected, "the exchange was cancelled");
    if (error_number == ETIMEDOUT) co_return fail(ErrorKind::kTimedOut, "connecting to the upstream took too long");
    co_return fail(ErrorKind::kUpstream, "the upstream cannot be reached",
                   fmt::format("{}: {}", address.text(), platform::system_error_text(error_number)));
  }

  // `stream` is the caller's.
  Task<Status> secure(Stream& stream, Cancellation& cancellation) {
    if (options_.tls == nullptr) co_return Status();
    Result<std::unique_ptr<TlsChannel>> channel = options_.tls->open();
    if (!channel) co_return fail(std::move(channel.error()));
    CancelHook hook(cancellation, [](void* connecting) { static_cast<Stream*>(connecting)->close(); }, &stream);
    Status secured = co_await stream.secure(*std::move(channel), options_.connect);
    co_return secured;
  }

  void give_back(std::unique_ptr<ClientConnection> returned) override {
    auto* connection = static_cast<UpstreamConnection*>(returned.get());
    if (options_.idle_max == 0 || connection->generation != generation_ || !connection->reusable()) return;
    if (options_.bound != nullptr && !options_.bound->keep_idle(loop_)) return;
    static_cast<void>(returned.release());
    if (idle_ >= options_.idle_max) drop(*oldest_);
    connection->pool = this;
    connection->idle_since = loop_.now();
    connection->newer = nullptr;
    connection->older = newest_;
    (newest_ != nullptr ? newest_->newer : oldest_) = connection;
    newest_ = connection;
    ++idle_;
    if (!sweep_.armed()) sweep_.arm(kSweep);
    connection->rest(&Pool::spoke_or_closed, connection);
  }

  // An idle connection ended, or got bytes that no one asked for: neither can be trusted with a request.
  static void spoke_or_closed(void* owner, IoStatus status) {
    auto* connection = static_cast<UpstreamConnection*>(owner);
    // TLS has things of its own to say: tickets, new keys.
    if (status == IoStatus::kReady && connection->silent()) return;
    static_cast<Pool*>(connection->pool)->drop(*connection);
  }

  static void sweep(void* owner) {
    auto& pool = *static_cast<Pool*>(owner);
    Nanoseconds limit = pool.loop_.now() - pool.options_.idle;
    while (pool.oldest_ != nullptr && pool.oldest_->idle_since < limit) pool.drop(*pool.oldest_);
    if (pool.oldest_ != nullptr) pool.sweep_.arm(kSweep);
  }

  void drop(UpstreamConnection& connection) {
    unlink(connection);
    delete &connection;
  }

  void unlink(UpstreamConnection& connection) {
    (connection.newer != nullptr ? connection.newer->older : newest_) = connection.older;
    (connection.older != nullptr ? connection.older->newer : oldest_) = connection.newer;
    SANDGATE_CHECK(newest_ != &connection && oldest_ != &connection);
    connection.newer = connection.older = nullptr;
    --idle_;
  }

  LoopThread& loop_;
  std::vector<Address> server_;
  std::size_t next_address_ = 0;
  std::uint32_t generation_ = 0;  // of the addresses
  PoolOptions options_;
  Timer sweep_;
  UpstreamConnection* newest_ = nullptr;
  UpstreamConnection* oldest_ = nullptr;
  std::size_t idle_ = 0;
};

}  // namespace

Lease::~Lease() {
  if (connection_) pool_->give_back(std::move(connection_));
}

std::unique_ptr<ConnectionPool> ConnectionPool::create(Loop& loop, std::vector<Address> server,
                                                       const PoolOptions& options) {
  return std::make_unique<Pool>(static_cast<LoopThread&>(loop), std::move(server), options);
}

}  // namespace sandgate::net
