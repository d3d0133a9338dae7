// SPDX-License-Identifier: Apache-2.0
#include "gateway/upstream_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "http/field.h"

namespace sandgate::gateway {
namespace {

class Mistakes {
 public:
  void expect(bool fine, const std::string& text) {
    if (fine) return;
    if (!text_.empty()) text_ += "; ";
    text_ += text;
  }
  Status status() && {
    if (text_.empty()) return {};
    return fail(ErrorKind::kInvalid, std::move(text_));
  }

 private:
  std::string text_;
};

void check_servers(const std::vector<ServerOptions>& servers, Mistakes& mistakes) {
  mistakes.expect(!servers.empty(), "an upstream needs at least one server");
  mistakes.expect(servers.size() <= UpstreamOptions::kServersMax,
                  fmt::format("an upstream has at most {} servers", UpstreamOptions::kServersMax));
  for (const ServerOptions& server : servers) {
    mistakes.expect(!server.host.empty() && server.port != 0, "a server needs a host and a port");
    mistakes.expect(server.weight >= 1 && server.weight <= ServerOptions::kWeightMax,
                    fmt::format("the weight of {} must be 1 to {}", server.authority(), ServerOptions::kWeightMax));
    mistakes.expect(std::ranges::count(servers, server.authority(), &ServerOptions::authority) == 1,
                    fmt::format("the server {} is named twice", server.authority()));
  }
}

void check_hash_key(const UpstreamOptions& options, Mistakes& mistakes) {
  if (options.balance != Balance::kConsistentHash || options.hash_key.from == HashKey::From::kClientAddress) return;
  mistakes.expect(http::is_token(options.hash_key.name),
                  "consistent hashing by a field or cookie needs the name of it");
}

void check_health_check(const HealthCheckOptions& health, Mistakes& mistakes) {
  bool visible = std::ranges::all_of(health.path, [](char c) { return c > ' ' && c < 0x7f; });
  mistakes.expect(health.path.starts_with('/') && visible,
                  "the path of a health check begins with / and has no blanks");
  mistakes.expect(health.host.empty() || http::is_field_value(health.host),
                  "the host of a health check is not a valid field value");
  mistakes.expect(health.interval.count() > 0 && health.timeout.count() > 0,
                  "interval and timeout of a health check must be above 0");
  mistakes.expect(health.fails > 0 && health.passes > 0, "fails and passes of a health check must be above 0");
  mistakes.expect(health.status_min >= 100 && health.status_max <= 599 && health.status_min <= health.status_max,
                  "the statuses of a health check must be a range within 100 to 599");
}

void check_numbers(const UpstreamOptions& options, Mistakes& mistakes) {
  mistakes.expect(options.ejection.time.count() > 0 && options.ejection.time <= options.ejection.time_max,
                  "the ejection time must be above 0 and at most its maximum");
  mistakes.expect(options.ejection.percent_max <= 100, "at most 100 percent of the servers can be ejected");
  const UpstreamTimeouts& timeouts = options.timeouts;
  mistakes.expect(std::min({timeouts.connect, timeouts.first_byte, timeouts.idle, timeouts.write}).count() > 0,
                  "the timeouts connect, first byte, idle and write must be above 0");
  mistakes.expect(timeouts.total.count() >= 0, "the total timeout must not be negative");
  mistakes.expect(options.retries.attempts >= 1, "attempts counts the first one too and must be at least 1");
  mistakes.expect(options.retries.budget_percent <= 100, "the retry budget is at most 100 percent");
  mistakes.expect(
      options.retries.backoff_base.count() >= 0 && options.retries.backoff_base <= options.retries.backoff_max,
      "the backoff must not be negative, nor above its maximum");
  mistakes.expect(options.connections.waiting.count() > 0, "the time that a request waits must be above 0");
  mistakes.expect(options.slow_start.count() >= 0 && options.resolve.count() >= 0,
                  "slow start and resolve interval must not be negative");
}

}  // namespace

std::string ServerOptions::authority() const {
  bool bare_ipv6 = host.find(':') != std::string::npos;
  return bare_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Status check_upstream_options(const UpstreamOptions& options) {
  Mistakes mistakes;
  check_servers(options.servers, mistakes);
  check_hash_key(options, mistakes);
  if (options.health_check) check_health_check(*options.health_check, mistakes);
  check_numbers(options, mistakes);
  return std::move(mistakes).status();
}

}  // namespace sandgate::gateway
