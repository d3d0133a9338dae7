// SPDX-License-Identifier: Apache-2.0
#include "gateway/server_timing.h"

#include <fmt/core.h>

#include <iterator>
#include <string>

namespace sandgate::gateway {

std::string_view ServerTiming::field_value() const {
  std::string value;
  for (const ExchangeStep* step = exchange_.record.steps; step != nullptr; step = step->next) {
    std::string entry = fmt::format("{}{}-{};dur={:.3f};desc=\"{}\"", value.empty() ? "" : ", ", step->module,
                                    step->point, static_cast<double>(step->took.count()) / 1e6, step->outcome);
    if (value.size() + entry.size() > kFieldBytesMax) break;
    value += entry;
  }
  return exchange_.arena().copy(value);
}

Task<Status> ServerTiming::start(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
  if (exchange_.record.steps == nullptr) {
    Status started = co_await inner_.start(head, length);
    co_return started;
  }
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
