// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_worker.h"

#include <fmt/core.h>

#include <string>

#include "exchange/problem.h"
#include "net/http_server.h"
#include "net/loop_thread.h"

namespace sandgate::cli {
namespace {

void append_member(std::string& json, std::string_view name, std::string_view value) {
  json += json.size() > 1 ? ",\"" : "\"";
  append_json_string(json, name);
  json += "\":\"";
  append_json_string(json, value);
  json += '"';
}

class EchoHandler final : public Handler {
 public:
  Task<Status> serve(Exchange& exchange) const override {
    std::uint64_t body_bytes = 0;
    for (;;) {
      Result<std::string_view> piece = co_await exchange.body().read();
      if (!piece) co_return fail(std::move(piece.error()));
      if (piece->empty()) break;
      body_bytes += piece->size();
    }
    std::string json = "{";
    append_member(json, "worker", "demo");
    append_member(json, "method", exchange.request.method);
    append_member(json, "path", exchange.request.path);
    append_member(json, "query", exchange.request.query);
    append_member(json, "body_bytes", std::to_string(body_bytes));
    for (const http::Field& field : exchange.request.fields) append_member(json, field.name, field.value);
    json += "}\n";
    Status status = co_await respond(exchange, 200, "application/json", json);
    co_return status;
  }
};

class Worker final : public DemoWorker {
 public:
  ~Worker() override {
    server_->close_all();
    loop_.stop();
  }

  Status start_listening() {
    Result<net::Address> any = net::parse_listen_address("127.0.0.1:0");
    if (!any) return fail(std::move(any.error()));
    Result<net::Address> bound = server_->listen(*any);
    if (!bound) return fail(std::move(bound.error()));
    address_ = *bound;
    server_->start();
    loop_.start({});
    return {};
  }
  const net::Address& address() const override { return address_; }

 private:
  net::LoopThread loop_{0};
  EchoHandler handler_;
  std::unique_ptr<net::HttpServer> server_ = net::HttpServer::create({&loop_}, handler_, {});
  net::Address address_;
};

}  // namespace

Result<std::unique_ptr<DemoWorker>> DemoWorker::start() {
  auto worker = std::make_unique<Worker>();
  Status started = worker->start_listening();
  if (!started) return fail(std::move(started.error()));
  return std::unique_ptr<DemoWorker>(std::move(worker));
}

}  // namespace sandgate::cli
