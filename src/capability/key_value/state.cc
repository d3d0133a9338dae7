// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/state.h"

#include <fmt/core.h>

#include <utility>

#include "capability/key_value/memory_stores.h"
#include "capability/key_value/redis_stores.h"
#include "capability/key_value/sqlite_stores.h"
#include "platform/clock.h"

namespace sandgate::capability {
namespace {

void give(sandbox::KeyValueCompletion& completion, const Answer& answer) {
  std::vector<std::optional<std::string_view>> entries(answer.entries.begin(), answer.entries.end());
  std::vector<std::string_view> keys(answer.keys.begin(), answer.keys.end());
  sandbox::KeyValueReply reply;
  reply.status = answer.status;
  reply.message = answer.message;
  reply.entries = entries;
  reply.keys = keys;
  if (answer.cursor) reply.cursor = *answer.cursor;
  reply.number = answer.number;
  reply.yes = answer.yes;
  completion.finish(reply);
}

Result<std::unique_ptr<Stores>> make_stores(const StateOptions& options, const StateUrl& url,
                                            const std::vector<net::LoopThread*>& loops) {
  StoreLimits limits;
  if (url.kind == StateUrl::Kind::kSqlite) {
    Result<std::unique_ptr<SqliteStores>> stores = SqliteStores::create(url.path, limits);
    if (!stores) return fail(std::move(stores.error()));
    return std::move(*stores);
  }
  if (url.kind == StateUrl::Kind::kRedis) {
    Result<std::unique_ptr<RedisStores>> stores = RedisStores::create(options, url, loops, limits);
    if (!stores) return fail(std::move(stores.error()));
    return std::move(*stores);
  }
  return std::make_unique<MemoryStores>(limits);
}

}  // namespace

Result<std::unique_ptr<State>> State::create(const StateOptions& options, const std::vector<net::LoopThread*>& loops) {
  Result<StateUrl> url = parse_state_url(options.url);
  if (!url) return fail(url.error().kind, fmt::format("state.url: {}", url.error().detail), url.error().cause);
  Result<std::unique_ptr<Stores>> stores = make_stores(options, *url, loops);
  if (!stores)
    return fail(stores.error().kind, fmt::format("state.url: {}", stores.error().detail), stores.error().cause);
  return std::make_unique<State>(std::move(*stores), url->text());
}

void State::serve(unsigned loop, const sandbox::KeyValueRequest& request, sandbox::KeyValueCompletion completion) {
  Nanoseconds started = platform::monotonic_now();
  sandbox::KeyValueOperation operation = request.operation;
  stores_->serve(loop, request,
                 [this, operation, started, completion = std::move(completion)](const Answer& answer) mutable {
                   metrics_.count(operation, answer, platform::monotonic_now() - started);
                   give(completion, answer);
                 });
}

}  // namespace sandgate::capability
