// SPDX-License-Identifier: Apache-2.0
#include "gateway/whole_body.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace sandgate::gateway {
namespace {

// A length is a promise of the client's: beyond this, memory is taken only for bytes that came.
constexpr std::uint64_t kReservedBytesMax = 256 * 1024;

std::unexpected<Error> too_large(BodySource& body, std::uint64_t bytes_max) {
  body.abort();
  return fail(ErrorKind::kTooLarge, fmt::format("the request body is larger than {} bytes", bytes_max));
}

}  // namespace

Task<Status> read_whole_body(BodySource& body, std::uint64_t bytes_max, std::string& to) {
  if (body.empty()) co_return Status();
  std::optional<std::uint64_t> length = body.length();
  if (length && *length > bytes_max) co_return too_large(body, bytes_max);
  if (length) to.reserve(std::min(*length, kReservedBytesMax));
  while (true) {
    Result<std::string_view> piece = co_await body.read();
    if (!piece) co_return fail(std::move(piece.error()));
    if (piece->empty()) co_return Status();
    if (piece->size() > bytes_max - to.size()) co_return too_large(body, bytes_max);
    to.append(*piece);
  }
}

}  // namespace sandgate::gateway
