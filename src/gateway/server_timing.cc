// SPDX-License-Identifier: Apache-2.0
#include "gateway/server_timing.h"

#include <fmt/core.h>

#include <string>

namespace sandgate::gateway {
namespace {

double milliseconds(Nanoseconds time) { return static_cast<double>(time.count()) / 1e6; }

}  // namespace

bool ServerTiming::asked_for(const Exchange& exchange) {
  return exchange.request.fields.find("x-server-timing") == "1";
}

ServerTiming::ServerTiming(Exchange& exchange) : exchange_(exchange), inner_(exchange.sink()) {
  exchange.record.keeps_steps = true;
  exchange.record.keeps_times = true;
  exchange.set_sink(*this);
}

std::string_view ServerTiming::field_value() const {
  std::string value = fmt::format("total;dur={:.3f}", milliseconds(exchange_.loop().precise_now() - exchange_.started));
  const UpstreamTimes& upstream = exchange_.record.upstream_times;
  if (upstream.connect) value += fmt::format(", upstream-connect;dur={:.3f}", milliseconds(*upstream.connect));
  if (upstream.first_byte) value += fmt::format(", upstream-first-byte;dur={:.3f}", milliseconds(*upstream.first_byte));
  for (const ExchangeStep* step = exchange_.record.steps; step != nullptr; step = step->next) {
    std::string entry = fmt::format(", {}-{};dur={:.3f};desc=\"{}\"", step->module, step->point,
                                    milliseconds(step->took), step->outcome);
    if (value.size() + entry.size() > kFieldBytesMax) break;
    value += entry;
  }
  return exchange_.arena().copy(value);
}

Task<Status> ServerTiming::start(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
  http::ResponseHead timed(exchange_.arena());
  timed.status = head.status;
  timed.minor_version = head.minor_version;
  timed.fields.reserve(head.fields.size() + 1);
  for (const http::Field& field : head.fields) timed.fields.add(field);
  timed.fields.add("server-timing", field_value());
  Status started = co_await inner_.start(timed, length);
  co_return started;
}

}  // namespace sandgate::gateway
