// SPDX-License-Identifier: Apache-2.0
#include "admin/received_body.h"

#include <utility>

#include "exchange/problem.h"

namespace sandgate::admin {

// `too_large` is static.
Task<Result<std::string>> receive_body(Exchange& exchange, std::size_t bytes_max, std::string_view too_large) {
  std::string body;
  std::uint64_t length = exchange.body().length().value_or(0);
  if (length > bytes_max) co_return fail(ErrorKind::kTooLarge, std::string(too_large));
  body.reserve(length);
  while (true) {
    Result<std::string_view> piece = co_await exchange.body().read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return body;
    if (body.size() + piece->size() > bytes_max) co_return fail(ErrorKind::kTooLarge, std::string(too_large));
    body += *piece;
  }
}

Task<Status> answer_unread_body(Exchange& exchange, Error error) {
  Problem problem{.status = status_of(error.kind), .error = error_kind_name(error.kind), .detail = error.detail};
  if (error.kind == ErrorKind::kTimedOut) problem.status = 408;
  Status done = co_await respond_problem(exchange, problem);
  co_return done;
}

}  // namespace sandgate::admin
