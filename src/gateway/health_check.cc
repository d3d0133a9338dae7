// SPDX-License-Identifier: Apache-2.0
#include "gateway/health_check.h"

#include <fmt/core.h>

#include <utility>

#include "base/arena.h"
#include "http/message.h"
#include "net/next_turn.h"
#include "platform/log.h"

namespace sandgate::gateway {
namespace {

// Interim answers to a probe; more are a server gone wrong.
constexpr int kInterimMax = 16;

void abort_connection(void* connection) { static_cast<net::ClientConnection*>(connection)->abort(); }

}  // namespace

HealthCheck::HealthCheck(UpstreamServer& server, std::unique_ptr<net::ConnectionPool> pool, Loop& loop)
    : server_(server),
      pool_(std::move(pool)),
      loop_(loop),
      next_(loop, &HealthCheck::due, this),
      timeout_(loop, &HealthCheck::timed_out, this) {}

void HealthCheck::start(std::weak_ptr<void> upstream, Milliseconds first) {
  upstream_ = std::move(upstream);
  next_.arm(first);
}

void HealthCheck::stop() {
  stopped_ = true;
  next_.disarm();
  if (running_) running_->cancel(ErrorKind::kDisconnected, "the health check was stopped");
}

void HealthCheck::due(void* owner) {
  auto& check = *static_cast<HealthCheck*>(owner);
  std::shared_ptr<void> upstream = check.upstream_.lock();
  if (upstream && !check.stopped_) probe({std::move(upstream), check.shared_from_this()});
}

void HealthCheck::timed_out(void* owner) {
  auto& check = *static_cast<HealthCheck*>(owner);
  if (check.running_) check.running_->cancel(ErrorKind::kTimedOut, "it did not answer in time");
}

Detached HealthCheck::probe(Held held) {
  HealthCheck& check = *held.check;
  check.running_ = std::make_unique<Cancellation>();
  check.timeout_.arm(check.options().timeout);
  Status answer = co_await check.ask();
  check.timeout_.disarm();
  // Whoever cancelled may still be inside cancel().
  if (check.running_->cancelled()) co_await net::NextTurn{check.loop_};
  check.running_.reset();
  if (check.stopped_) co_return;
  check.tell(answer);
  check.next_.arm(check.options().interval);
}

void HealthCheck::tell(const Status& answer) {
  ServerHealth& health = server_.health();
  bool was_well = !health.unhealthy();
  bool was_in = health.is_in();
  health.probed(answer.has_value(), loop_.now());
  if (!was_in && health.is_in()) server_.came_back();
  bool is_well = !health.unhealthy();
  const std::string& upstream = server_.common().options.name;
  if (was_well && !is_well) {
    log::warning("upstream {}: {} fails its health check: {}", upstream, server_.authority(), answer.error().detail);
  } else if (is_well && !was_well) {
    log::info("upstream {}: {} is well again", upstream, server_.authority());
  }
}

Task<Status> HealthCheck::ask() {
  Cancellation& over = *running_;
  Result<net::Lease> lease = co_await pool_->lease(over, true);
  if (over.cancelled()) co_return fail(over.kind(), std::string(over.reason()));
  if (!lease) co_return fail(std::move(lease.error()));
  net::ClientConnection& connection = lease->connection();
  CancelHook hook(over, &abort_connection, &connection);
  Arena arena;
  http::RequestHead request(arena);
  request.method = "GET";
  request.authority = options().host.empty() ? server_.authority() : std::string_view(options().host);
  std::string_view target = options().path;
  request.path = target.substr(0, target.find('?'));
  request.has_query = request.path.size() < target.size();
  if (request.has_query) request.query = target.substr(request.path.size() + 1);
  request.fields.add("user-agent", "sandgate-health-check");
  Status status = co_await connection.write_head(request, {}, false, {});
  http::ResponseHead head(arena);
  for (int interim = 0; status && interim <= kInterimMax; ++interim) {
    status = co_await connection.read_head(request.method, head);
    if (status && head.status >= 200) break;
  }
  connection.abort();
  if (over.cancelled()) co_return fail(over.kind(), std::string(over.reason()));
  if (status && (head.status < options().status_min || head.status > options().status_max)) {
    co_return fail(ErrorKind::kUpstream, fmt::format("it answered {}", head.status));
  }
  co_return status;
}

}  // namespace sandgate::gateway
