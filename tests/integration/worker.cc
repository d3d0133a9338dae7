// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/worker.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "exchange/problem.h"

namespace sandgate::test {
namespace {

// A handler that waits looks this often whether it was released; tests do not measure it.
constexpr Milliseconds kLook{5};

// Waits for a flag, an end of the exchange, or nothing.
class Waiting {
 public:
  Waiting(Exchange& exchange, const std::atomic<bool>& flag)
      : flag_(flag), timer_(exchange.loop(), &Waiting::look, this), hook_(exchange.cancellation, &Waiting::stop, this) {
    if (exchange.cancellation.cancelled()) done_.set();
    look(this);
  }
  Event& done() { return done_; }

 private:
  static void look(void* owner) {
    auto& self = *static_cast<Waiting*>(owner);
    if (self.flag_.load()) return self.done_.set();
    self.timer_.arm(kLook);
  }
  static void stop(void* owner) { static_cast<Waiting*>(owner)->done_.set(); }

  const std::atomic<bool>& flag_;
  Timer timer_;
  Event done_;
  CancelHook hook_;
};

std::string as_text(const http::RequestHead& head) {
  std::string text(head.method);
  text.append(" ").append(head.path);
  if (head.has_query) text.append("?").append(head.query);
  text += "\n";
  for (const http::Field& field : head.fields) text.append(field.name).append(": ").append(field.value).append("\n");
  return text + "\n";
}

}  // namespace

class Worker::Behaviour final : public Handler {
 public:
  explicit Behaviour(std::string name) : name_(std::move(name)) {}

  Task<Status> serve(Exchange& exchange) const override {
    ++requests;
    Status status = co_await act(exchange);
    if (exchange.cancellation.cancelled()) ++cancelled;
    co_return status;
  }

  mutable std::atomic<int> requests{0};
  mutable std::atomic<int> cancelled{0};
  std::atomic<bool> released{false};

 private:
  Task<Status> act(Exchange& exchange) const {
    std::string_view path = exchange.request.path;
    if (path.starts_with("/status/")) return answer_status(exchange, path.substr(8));
    if (path == "/sse") return events(exchange);
    if (path == "/chunks") return chunks(exchange);
    if (path.starts_with("/big/")) return big(exchange, path.substr(5));
    if (path == "/wait") return wait(exchange);
    if (path == "/break") return break_off(exchange);
    if (path == "/websocket") return websocket(exchange);
    return echo(exchange);
  }

  static Task<Status> answer_status(Exchange& exchange, std::string_view number) {
    int status = 500;
    std::from_chars(number.data(), number.data() + number.size(), status);
    Status answered = co_await respond(exchange, status, "text/plain", "status " + std::string(number));
    co_return answered;
  }

  Task<Status> echo(Exchange& exchange) const {
    std::string text = as_text(exchange.request);
    for (;;) {
      Result<std::string_view> piece = co_await exchange.body().read();
      if (!piece) co_return fail(std::move(piece.error()));
      if (piece->empty()) break;
      text += *piece;
    }
    http::Fields extra(exchange.arena());
    extra.add_copy("x-worker", name_);
    extra.add("set-cookie", "a=1");
    extra.add("set-cookie", "b=2");
    Status answered = co_await respond(exchange, 200, "text/plain", text, &extra);
    co_return answered;
  }

  Task<Status> events(Exchange& exchange) const {
    http::ResponseHead head(exchange.arena());
    head.fields.add("content-type", "text/event-stream");
    Status status = co_await exchange.sink().start(head, std::nullopt);
    if (status) status = co_await exchange.sink().write("data: first\n\n");
    if (!status) co_return status;
    Waiting waiting(exchange, released);
    co_await waiting.done().wait();
    status = co_await exchange.sink().write("data: second\n\n");
    if (!status) co_return status;
    status = co_await exchange.sink().finish(nullptr);
    co_return status;
  }

  static Task<Status> chunks(Exchange& exchange) {
    http::ResponseHead head(exchange.arena());
    Status status = co_await exchange.sink().start(head, std::nullopt);
    for (std::string_view piece : {"one", "two", "three"}) {
      if (status) status = co_await exchange.sink().write(piece);
    }
    if (!status) co_return status;
    status = co_await exchange.sink().finish(nullptr);
    co_return status;
  }

  static Task<Status> big(Exchange& exchange, std::string_view number) {
    std::uint64_t left = 0;
    std::from_chars(number.data(), number.data() + number.size(), left);
    http::ResponseHead head(exchange.arena());
    Status status = co_await exchange.sink().start(head, left);
    static const std::string kPiece(65536, 'b');
    while (status && left > 0) {
      std::string_view piece = std::string_view(kPiece).substr(0, std::min<std::uint64_t>(left, kPiece.size()));
      left -= piece.size();
      status = co_await exchange.sink().write(piece);
    }
    if (!status) co_return status;
    status = co_await exchange.sink().finish(nullptr);
    co_return status;
  }

  Task<Status> wait(Exchange& exchange) const {
    Waiting waiting(exchange, released);
    co_await waiting.done().wait();
    if (exchange.cancellation.cancelled()) co_return fail(exchange.cancellation.kind(), "cancelled");
    Status answered = co_await respond(exchange, 200, "text/plain", "waited");
    co_return answered;
  }

  static Task<Status> break_off(Exchange& exchange) {
    http::ResponseHead head(exchange.arena());
    Status status = co_await exchange.sink().start(head, 100);
    if (status) status = co_await exchange.sink().write("0123456789");
    exchange.sink().abort();
    co_return fail(ErrorKind::kInternal, "broken off");
  }

  static Task<Status> websocket(Exchange& exchange) {
    http::ResponseHead head(exchange.arena());
    head.status = 101;
    head.fields.add("upgrade", "websocket");
    head.fields.add("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    Result<RawStream*> stream = co_await exchange.take_over(head);
    if (!stream) co_return fail(std::move(stream.error()));
    for (;;) {
      Result<std::string_view> piece = co_await (*stream)->read();
      if (!piece || piece->empty()) break;
      Status wrote = co_await (*stream)->write(*piece);
      if (!wrote) break;
    }
    co_return Status();
  }

  std::string name_;
};

Worker::Worker(std::string name) : behaviour_(std::make_unique<Behaviour>(std::move(name))) {
  server_ = net::HttpServer::create({&loop_}, *behaviour_, {});
  port_ = server_->listen(*net::parse_listen_address("127.0.0.1:0"))->port();
  server_->start();
  loop_.start({});
}

Worker::~Worker() {
  stop();
  loop_.stop();
}

void Worker::stop() {
  if (stopped_) return;
  stopped_ = true;
  release();
  server_->drain();
  server_->close_all();
  for (int i = 0; i < 1000 && server_->open_connections() > 0; ++i) std::this_thread::sleep_for(Milliseconds(5));
}

int Worker::requests() const { return behaviour_->requests; }
int Worker::cancelled() const { return behaviour_->cancelled; }
void Worker::release() { behaviour_->released = true; }
std::size_t Worker::connections_accepted() const { return server_->counters().accepted; }

}  // namespace sandgate::test
