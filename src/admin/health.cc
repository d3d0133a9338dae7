// SPDX-License-Identifier: Apache-2.0
#include "admin/health.h"

#include <string>
#include <string_view>

#include "exchange/problem.h"
#include "telemetry/exposition.h"

namespace sandgate::admin {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

bool is_read(const Exchange& exchange) { return exchange.request.method == "GET" || exchange.request.method == "HEAD"; }

Task<Status> answer_method(Exchange& exchange) {
  Problem problem{
      .status = 405, .error = "method_not_allowed", .detail = "This path is only read", .allow = "GET, HEAD"};
  Status done = co_await respond_problem(exchange, problem);
  co_return done;
}

Task<Status> answer_not_ready(Exchange& exchange) {
  Problem problem{.status = 503, .error = "not_ready", .detail = "The server starts or drains"};
  Status done = co_await respond_problem(exchange, problem);
  co_return done;
}

Task<Status> answer_text(Exchange& exchange, std::string_view content_type, std::string text) {
  http::Fields extra(exchange.arena());
  extra.add("cache-control", "no-store");
  Status done = co_await respond(exchange, 200, content_type, text, &extra);
  co_return done;
}

}  // namespace

Task<Status> HealthHandler::serve(Exchange& exchange) const {
  return is_read(exchange) ? answer_text(exchange, kText, "OK") : answer_method(exchange);
}

Task<Status> ReadyHandler::serve(Exchange& exchange) const {
  if (!is_read(exchange)) return answer_method(exchange);
  return ready_.load(std::memory_order_relaxed) ? answer_text(exchange, kText, "OK") : answer_not_ready(exchange);
}

Task<Status> MetricsHandler::serve(Exchange& exchange) const {
  if (!is_read(exchange)) return answer_method(exchange);
  return answer_text(exchange, telemetry::kExpositionContentType,
                     metrics_text(sources_, telemetry::read_process_usage()));
}

}  // namespace sandgate::admin
