// SPDX-License-Identifier: Apache-2.0
#include "gateway/static_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "exchange/problem.h"
#include "gateway/media_type.h"
#include "http/byte_class.h"
#include "http/conditional.h"
#include "http/date.h"
#include "net/next_turn.h"

namespace sandgate::gateway {
namespace {

using http::ByteRange;
using platform::OpenFile;

constexpr std::string_view kMethods = "GET, HEAD";
constexpr std::int64_t kMillisecondsPerSecond = 1000;

std::unexpected<Error> no_such_file() { return fail(ErrorKind::kNotFound, "there is no such file"); }

bool is_hidden(std::string_view name) { return name.starts_with('.') || name.find("/.") != std::string_view::npos; }

// Mixes all bits of the sum into all of the result (the finaliser of SplitMix64).
std::uint64_t mix(std::uint64_t state, std::uint64_t word) {
  state += word + 0x9e3779b97f4a7c15;
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
  state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
  return state ^ (state >> 31);
}

// Another size, time or inode is another version. Mixed, because the number of an inode is nobody's business.
std::string_view etag_of(const OpenFile& file, Arena& arena) {
  std::uint64_t state = mix(0, file.inode);
  state = mix(state, file.size);
  state = mix(state, static_cast<std::uint64_t>(file.modified_unix_s));
  state = mix(state, file.modified_ns);
  return arena.copy(fmt::format("\"{:016x}\"", state));
}

// What all answers about a file say. `now` in seconds: a file from the future was modified now (RFC 9110 section
// 8.8.2.1).
struct Representation {
  http::Validators validators;
  std::string_view modified;
  std::string_view content_type;
};

Representation describe(const OpenFile& file, std::string_view name, std::int64_t now, Arena& arena) {
  Representation described;
  described.validators.etag = etag_of(file, arena);
  described.validators.modified_unix_s =
      std::clamp<std::int64_t>(file.modified_unix_s, 0, std::max<std::int64_t>(now, 0));
  described.modified = arena.copy(http::format_date(described.validators.modified_unix_s));
  described.content_type = media_type_of(name);
  return described;
}

void add_validators(http::Fields& fields, const Representation& described, std::string_view cache_control) {
  fields.add("etag", described.validators.etag);
  fields.add("last-modified", described.modified);
  if (!cache_control.empty()) fields.add("cache-control", cache_control);
}

Task<Status> refuse_method(Exchange& exchange) {
  Status answered = co_await respond_problem(exchange, {.status = 405,
                                                        .error = "method_not_allowed",
                                                        .detail = "files are served with GET and HEAD",
                                                        .allow = kMethods});
  co_return answered;
}

// `path` begins with one slash: two would name another host.
Task<Status> redirect_to_folder(Exchange& exchange) {
  const http::RequestHead& request = exchange.request;
  if (request.path.starts_with("//")) co_return no_such_file();
  Arena& arena = exchange.arena();
  std::string_view location = arena.join(request.path, "/");
  if (request.has_query) location = arena.join(location, "?", request.query);
  http::Fields extra(arena);
  extra.add("location", location);
  Status answered = co_await respond(exchange, 308, {}, {}, &extra);
  co_return answered;
}

Task<Status> refuse_precondition(Exchange& exchange) {
  Status answered = co_await respond_problem(
      exchange, {.status = 412, .error = "precondition_failed", .detail = "the file is another version"});
  co_return answered;
}

Task<Status> refuse_range(Exchange& exchange, std::uint64_t size) {
  http::Fields extra(exchange.arena());
  extra.add("content-range", exchange.arena().copy(fmt::format("bytes */{}", size)));
  Status answered = co_await respond(exchange, 416, {}, {}, &extra);
  co_return answered;
}

Task<Status> send_head(Exchange& exchange, const http::ResponseHead& head, std::optional<std::uint64_t> length) {
  Status started = co_await exchange.sink().start(head, length);
  if (started) exchange.record.status = head.status;
  co_return started;
}

// The head is sent already.
Task<Status> send_bytes(Exchange& exchange, const OpenFile& file, std::uint64_t offset, std::uint64_t length) {
  const std::size_t room = std::min<std::uint64_t>(length, StaticFiles::kPieceBytes);
  std::span<char> piece = exchange.arena().allocate_array<char>(room);
  for (unsigned pieces = 1; length > 0; ++pieces) {
    Result<std::size_t> got = file.read_at(offset, piece.first(std::min<std::uint64_t>(length, room)));
    if (got && *got == 0) got = fail(ErrorKind::kInternal, "a file became shorter while it was sent");
    if (!got) {
      exchange.sink().abort();
      co_return fail(std::move(got.error()));
    }
    Status wrote = co_await exchange.sink().write({piece.data(), *got});
    if (!wrote) co_return wrote;
    offset += *got;
    length -= *got;
    if (pieces % StaticFiles::kPiecesPerTurn == 0) co_await net::NextTurn{exchange.loop()};
    if (exchange.cancellation.cancelled()) {
      exchange.sink().abort();
      co_return fail(exchange.cancellation.kind(), "the exchange was cancelled");
    }
  }
  Status finished = co_await exchange.sink().finish(nullptr);
  co_return finished;
}

}  // namespace

std::optional<std::string> file_name_of(std::string_view rest) {
  std::string name;
  name.reserve(rest.size());
  for (std::size_t i = 0; i < rest.size(); ++i) {
    char byte = rest[i];
    if (byte == '%') {
      if (rest.size() - i < 3 || !http::is_byte(rest[i + 1], http::kHexByte) ||
          !http::is_byte(rest[i + 2], http::kHexByte))
        return std::nullopt;
      byte = static_cast<char>(http::hex_value(rest[i + 1]) << 4 | http::hex_value(rest[i + 2]));
      if (byte == '/') return std::nullopt;
      i += 2;
    }
    if (byte == '\0') return std::nullopt;
    name += byte;
  }
  std::string_view left = name;
  if (left.ends_with('/')) left.remove_suffix(1);
  while (!left.empty()) {
    std::size_t slash = left.find('/');
    std::string_view segment = left.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return std::nullopt;
    if (slash == std::string_view::npos) break;
    left.remove_prefix(slash + 1);
    if (left.empty()) return std::nullopt;
  }
  if (name == "/") return std::nullopt;
  return name;
}

Result<std::unique_ptr<StaticFiles>> StaticFiles::create(StaticFilesOptions options) {
  Result<platform::Directory> directory = platform::Directory::open(options.directory);
  if (!directory) return fail(std::move(directory.error()));
  return std::unique_ptr<StaticFiles>(new StaticFiles(std::move(options), std::move(*directory)));
}

// `folder` is empty, or ends in a slash.
Result<StaticFiles::Found> StaticFiles::find_index(const std::string& folder) const {
  for (const std::string& index : options_.index) {
    Found found{.file = {}, .name = folder + index};
    Result<OpenFile> file = directory_.open_file(found.name);
    if (!file && file.error().kind != ErrorKind::kNotFound) return fail(std::move(file.error()));
    if (!file || file->kind != OpenFile::Kind::kRegular) continue;
    found.file = std::move(*file);
    return found;
  }
  return no_such_file();
}

Result<StaticFiles::Found> StaticFiles::find(std::string_view rest) const {
  std::optional<std::string> name = file_name_of(rest);
  if (!name)
    return fail(ErrorKind::kInvalid,
                "this path names no file: it has an encoded slash or NUL, or is not in its normal form");
  if (options_.dot_files == StaticFilesOptions::DotFiles::kRefused && is_hidden(*name)) return no_such_file();
  if (name->empty()) return find_index({});
  const bool as_folder = name->ends_with('/');
  Result<OpenFile> file = directory_.open_file(*name);
  if (!file) return fail(std::move(file.error()));
  if (file->kind == OpenFile::Kind::kDirectory && as_folder) return find_index(*name);
  Found found{.file = std::move(*file), .name = std::move(*name)};
  found.redirect = found.file.kind == OpenFile::Kind::kDirectory;
  if (!found.redirect && (as_folder || found.file.kind != OpenFile::Kind::kRegular)) return no_such_file();
  return found;
}

Task<Status> StaticFiles::answer(Exchange& exchange, const Found& found) const {
  const OpenFile& file = found.file;
  const http::Fields& asked = exchange.request.fields;
  const std::int64_t now = exchange.received_unix_ms / kMillisecondsPerSecond;
  const Representation described = describe(file, found.name, now, exchange.arena());
  const http::Precondition precondition = http::evaluate_preconditions(asked, described.validators);
  if (precondition == http::Precondition::kFailed) {
    Status refused = co_await refuse_precondition(exchange);
    co_return refused;
  }
  ByteRange range;
  if (exchange.request.method == "GET") range = http::requested_range(asked, described.validators, file.size, now);
  http::ResponseHead head(exchange.arena());
  if (!exchange.id.empty()) head.fields.add({"x-request-id", exchange.id, http::FieldId::kXRequestId});
  add_validators(head.fields, described, options_.cache_control);
  std::optional<std::uint64_t> length;
  if (precondition == http::Precondition::kNotModified) {
    head.status = 304;
  } else if (range.kind == ByteRange::Kind::kUnsatisfiable) {
    Status refused = co_await refuse_range(exchange, file.size);
    co_return refused;
  } else {
    length = file.size;
    head.fields.add("content-type", described.content_type);
    head.fields.add("x-content-type-options", "nosniff");
    head.fields.add("accept-ranges", "bytes");
  }
  if (length && range.kind == ByteRange::Kind::kPart) {
    head.status = 206;
    length = range.length;
    head.fields.add("content-range", exchange.arena().copy(fmt::format("bytes {}-{}/{}", range.first,
                                                                       range.first + range.length - 1, file.size)));
  }
  Status sent = co_await send_head(exchange, head, length);
  if (!sent) co_return sent;
  if (!length || exchange.request.is_head()) {
    sent = co_await exchange.sink().finish(nullptr);
  } else {
    sent = co_await send_bytes(exchange, file, range.first, *length);
  }
  co_return sent;
}

Task<Status> StaticFiles::serve(Exchange& exchange) const {
  if (exchange.request.method != "GET" && !exchange.request.is_head()) {
    Status refused = co_await refuse_method(exchange);
    co_return refused;
  }
  Result<Found> found = find(exchange.route.rest);
  if (!found) co_return fail(std::move(found.error()));
  Status answered;
  if (found->redirect) {
    answered = co_await redirect_to_folder(exchange);
  } else {
    answered = co_await answer(exchange, *found);
  }
  co_return answered;
}

}  // namespace sandgate::gateway
