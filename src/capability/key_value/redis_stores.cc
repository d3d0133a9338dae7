// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/redis_stores.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "capability/key_value/decimal.h"
#include "capability/key_value/memory_store.h"
#include "capability/key_value/owned_request.h"
#include "capability/key_value/redis_commands.h"
#include "platform/log.h"

namespace sandgate::capability {

using sandbox::KeyValueOperation;
using sandbox::KeyValueRequest;

// One that waits for its reply.
struct RedisStores::Operation {
  KeyValueOperation operation;
  std::size_t keys;
  std::string prefix;
  Done done;
  std::optional<OwnedRequest> request;  // for who stands in
  unsigned scans = 1;
};

namespace {

Result<std::shared_ptr<net::TlsClient>> make_tls(const RedisTlsOptions& options, const StateUrl& url) {
  net::TlsClientOptions tls;
  if (options.verify == RedisTlsOptions::Verify::kOff) tls.verify = net::TlsClientOptions::Verify::kOff;
  tls.ca_file = options.ca_file;
  tls.server_name = options.server_name.empty() ? url.host : options.server_name;
  return net::TlsClient::create(tls);
}

}  // namespace

Result<std::unique_ptr<RedisStores>> RedisStores::create(const StateOptions& options, StateUrl url,
                                                         const std::vector<net::LoopThread*>& loops,
                                                         const StoreLimits& limits) {
  std::shared_ptr<net::TlsClient> tls;
  if (url.transport == StateUrl::Transport::kTls) {
    Result<std::shared_ptr<net::TlsClient>> made = make_tls(options.tls, url);
    if (!made) return fail(std::move(made.error()));
    tls = *std::move(made);
  }
  return std::unique_ptr<RedisStores>(new RedisStores(options, std::move(url), tls, loops, limits));
}

RedisStores::RedisStores(const StateOptions& options, StateUrl url, const std::shared_ptr<net::TlsClient>& tls,
                         const std::vector<net::LoopThread*>& loops, const StoreLimits& limits)
    : options_(options),
      url_(std::move(url)),
      limits_(limits),
      loops_(loops),
      names_(limits.stores_max),
      local_(limits) {
  std::size_t count = std::min<std::size_t>(loops.size(), std::max(options.connections_max, 1U));
  RedisConnection::Owner& owner = *this;
  for (std::size_t i = 0; i < count; ++i) {
    connections_.push_back(std::make_unique<RedisConnection>(*loops[i], url_, tls, options_.timeout, resolver_, owner));
    loops[i]->post([connection = connections_.back().get()] { connection->start(); });
  }
}

RedisStores::~RedisStores() = default;

void RedisStores::stop() {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    loops_[i]->post([connection = connections_[i].get()] { connection->stop(); });
  }
}

void RedisStores::serve(unsigned loop, const KeyValueRequest& request, Done done) {
  std::optional<std::string> name = names_.name(request.bucket);
  if (!name) {
    Answer answer;
    answer.status = sandbox::KeyValueStatus::kNoSuchStore;
    return done(std::move(answer));
  }
  if (request.cursor && !parse_decimal<std::uint64_t>(*request.cursor)) return done(refusal(kForeignCursor));
  for (std::size_t i = 0; i < request.values.size(); ++i) {
    if (MemoryStore::kEntryBytes + request.keys[i].size() + request.values[i].size() > limits_.bytes_max)
      return done(refusal(kEntryTooLarge));
  }
  auto operation = std::make_unique<Operation>(request.operation, request.keys.size(),
                                               redis_key_prefix(options_.prefix, *name), std::move(done));
  if (options_.on_unavailable != OnUnavailable::kClosed) operation->request.emplace(request);
  std::string command = redis_command(request, operation->prefix);
  std::size_t at = loop % connections_.size();
  RedisConnection& connection = *connections_[at];
  if (at == loop) return send(connection, command, std::move(operation));
  // Jobs of loops are copied: what moves only goes along in a shared box.
  auto box = std::make_shared<std::unique_ptr<Operation>>(std::move(operation));
  loops_[at]->post(
      [this, &connection, command = std::move(command), box] { send(connection, command, std::move(*box)); });
}

void RedisStores::send(RedisConnection& connection, const std::string& command, std::unique_ptr<Operation> operation) {
  connection.send(command, [this, &connection, operation = std::move(operation)](RedisReply* reply) mutable {
    replied(connection, std::move(operation), reply);
  });
}

void RedisStores::replied(RedisConnection& connection, std::unique_ptr<Operation> operation, RedisReply* reply) {
  if (reply == nullptr || redis_cannot_now(*reply)) {
    Answer answer =
        operation->request ? stand_in(operation->request->view()) : refusal(kUnreachable, AnswerSource::kUnavailable);
    return operation->done(std::move(answer));
  }
  if (reply->kind == RedisReply::Kind::kError) log::debug("state: Redis says: {}", reply->text);
  Answer answer = redis_answer(operation->operation, operation->keys, operation->prefix, std::move(*reply));
  // Redis looks at all its keys, and a stretch of them may hold none of this store.
  if (answer.cursor && answer.keys.empty() && operation->scans < kScansMax) {
    ++operation->scans;
    KeyValueRequest next;
    next.operation = KeyValueOperation::kListKeys;
    next.cursor = *answer.cursor;
    std::string command = redis_command(next, operation->prefix);
    return send(connection, command, std::move(operation));
  }
  operation->done(std::move(answer));
}

Answer RedisStores::stand_in(const KeyValueRequest& request) {
  if (options_.on_unavailable == OnUnavailable::kOpen) {
    MemoryStore empty(limits_.bytes_max);
    Answer answer = answer_from(empty, request);
    answer.source = AnswerSource::kDropped;
    return answer;
  }
  // By name: both number their stores in the order in which they were opened, which may differ.
  KeyValueRequest local = request;
  local.bucket = local_.open(names_.name(request.bucket).value_or("")).value_or(request.bucket);
  // A place in Redis's listing is none in this one.
  if (local.operation == KeyValueOperation::kListKeys) local.cursor.reset();
  Answer answer = local_.answer(local);
  answer.cursor.reset();
  answer.source = AnswerSource::kLocal;
  return answer;
}

std::optional<bool> RedisStores::reachable() const { return up_.load() == connections_.size(); }

void RedisStores::came_up() {
  if (++up_ != connections_.size()) return;
  // The next time begins anew: old counts would be wrong ones.
  local_.clear();
  if (away_.exchange(false)) log::info("state: {} is back", url_.text());
}

void RedisStores::is_away(std::string_view why) {
  if (!away_.exchange(true)) log::warning("state: {} is away: {}", url_.text(), why);
}

}  // namespace sandgate::capability
