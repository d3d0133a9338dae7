// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_client.h"

#include <fmt/core.h>

#include <future>
#include <utility>

#include "base/arena.h"
#include "http/body_decoder.h"
#include "http/message.h"
#include "net/connection_pool.h"
#include "net/loop_thread.h"

namespace sandgate::cli {
namespace {

// A compilation may take two minutes (sandbox/compiler.h), and others may be before it.
constexpr Milliseconds kAnswerTime{600'000};

struct Call {
  const AdminClient::Request& request;
  std::string_view authority;
  std::string_view authorization;
};

void fill_head(const Call& call, http::RequestHead& head) {
  const AdminClient::Request& request = call.request;
  std::string_view target = request.target;
  head.method = request.method;
  head.scheme = "http";
  head.authority = call.authority;
  std::size_t question = target.find('?');
  head.path = target.substr(0, question);
  head.has_query = question != std::string_view::npos;
  if (head.has_query) head.query = target.substr(question + 1);
  head.fields.add("accept", "application/json");
  if (!call.authorization.empty()) head.fields.add("authorization", call.authorization);
  for (const std::string& entry : request.config) head.fields.add("sandgate-config", entry);
  if (!request.body.empty()) head.fields.add("content-type", "application/wasm");
}

Task<Result<AdminClient::Reply>> exchange(net::ConnectionPool& pool, const Call& call) {
  Cancellation never;
  Arena arena;
  Result<net::Lease> lease = co_await pool.lease(never, true);
  if (!lease) co_return fail(std::move(lease.error()));
  net::ClientConnection& connection = lease->connection();
  http::RequestHead request(arena);
  fill_head(call, request);
  http::BodyFraming framing;
  std::string_view body = call.request.body;
  if (!body.empty()) framing = {http::BodyFraming::Kind::kLength, body.size()};
  Status sent = co_await connection.write_head(request, framing, false, body);
  if (!sent) co_return fail(std::move(sent.error()));
  http::ResponseHead head(arena);
  do {
    Status received = co_await connection.read_head(call.request.method, head);
    if (!received) co_return fail(std::move(received.error()));
  } while (head.status < 200);
  AdminClient::Reply reply;
  reply.status = head.status;
  while (true) {
    Result<std::string_view> piece = co_await connection.body().read();
    if (!piece) co_return fail(std::move(piece.error()));
    if (piece->empty()) co_return reply;
    if (reply.body.size() + piece->size() > AdminClient::kReplyBytesMax)
      co_return fail(ErrorKind::kTooLarge, "the reply is too large");
    reply.body.append(*piece);
  }
}

Detached begin(net::ConnectionPool& pool, const Call& call, std::promise<Result<AdminClient::Reply>>& to) {
  Result<AdminClient::Reply> reply = co_await exchange(pool, call);
  to.set_value(std::move(reply));
}

}  // namespace

Result<AdminClient> AdminClient::create(const Options& options) {
  constexpr std::string_view kScheme = "http://";
  std::string_view server = options.server;
  if (server.starts_with(kScheme)) server.remove_prefix(kScheme.size());
  while (server.ends_with('/')) server.remove_suffix(1);
  Result<net::Address> address = net::parse_listen_address(server);
  if (!address) return fail(std::move(address.error()));
  bool is_unix = server.starts_with("unix:");
  return AdminClient(*address, is_unix ? "localhost" : std::string(server), options.token);
}

Result<AdminClient::Reply> AdminClient::send(const Request& request) const {
  std::string authorization = token_.empty() ? std::string() : "Bearer " + token_;
  Call call{request, authority_, authorization};
  net::LoopThread loop(0);
  net::PoolOptions options;
  options.first_byte = kAnswerTime;
  options.between_bytes = kAnswerTime;
  std::unique_ptr<net::ConnectionPool> pool = net::ConnectionPool::create(loop, {server_}, options);
  std::promise<Result<Reply>> answered;
  loop.start({});
  loop.post([&] { begin(*pool, call, answered); });
  Result<Reply> reply = answered.get_future().get();
  std::promise<void> closed;
  loop.post([&] {
    pool->close_idle();
    closed.set_value();
  });
  closed.get_future().wait();
  loop.stop();
  if (!reply) {
    return fail(reply.error().kind, fmt::format("{} cannot be asked: {}", authority_, reply.error().detail),
                reply.error().cause);
  }
  return reply;
}

}  // namespace sandgate::cli
