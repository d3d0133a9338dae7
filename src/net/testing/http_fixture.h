// SPDX-License-Identifier: Apache-2.0
//
// A real server in the process whose handlers the test writes: a table from paths to coroutines, and the signals both
// sides exchange.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/handler.h"
#include "net/http_server.h"
#include "net/testing/loop_fixture.h"
#include "tests/support/http_client.h"

namespace sandgate::net::testing {

class Gate;

// What handlers tell the test, and the test the handlers.
struct Stage {
  Signal entered;    // a handler began
  Signal cancelled;  // an exchange was cancelled
  Signal left;       // a handler is about to return
  std::mutex mutex;
  std::vector<std::string> notes;  // guarded
  std::vector<Gate*> gates;        // guarded
  std::string large;               // what /large answers

  void note(std::string text) {
    std::lock_guard lock(mutex);
    notes.push_back(std::move(text));
  }
  std::vector<std::string> taken_notes() {
    std::lock_guard lock(mutex);
    return std::exchange(notes, {});
  }
  // Ends the wait of every handler that waits, on their loops.
  void open_gates();
};

// Waits for Stage::open_gates() or for the exchange's cancellation. Lives in the handler's frame.
class Gate {
 public:
  Gate(Stage& stage, Exchange& exchange);
  ~Gate();
  Event& opened() { return opened_; }

 private:
  friend struct Stage;
  Stage& stage_;
  Loop& loop_;
  Event opened_;
  CancelHook hook_;
};

using Serve = Task<Status> (*)(Exchange& exchange, Stage& stage);

// The handlers that most tests need: /hello, /method, /echo (streams the body back), /length (how many bytes the body
// had), /one_piece (reads one piece of it), /ignore (reads nothing of it), /wait (answers when the gate opens), /stream
// (of unknown length: "one", then "two" when the gate opens; ?late sends nothing before, ?abort breaks off), /large,
// /fail (an error), /nothing (returns without an answer).
class TableHandler final : public Handler {
 public:
  explicit TableHandler(Stage& stage);
  void add(std::string path, Serve serve) { table_[std::move(path)] = serve; }
  Task<Status> serve(Exchange& exchange) const override;

 private:
  Stage& stage_;
  std::map<std::string, Serve, std::less<>> table_;
};

class TestServer {
 public:
  explicit TestServer(const ServerOptions& options = {}, unsigned loops = 1);
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  // Ends everything; a connection that does not end fails the test.
  ~TestServer();

  std::uint16_t port() const { return port_; }
  test::RawClient client() const { return test::RawClient(port_); }
  HttpServer& server() { return *server_; }
  LoopThread& loop(std::size_t index = 0) { return *loops_[index]; }
  // Whether no connection is open, waiting up to the patience.
  bool wait_until_empty();

  Stage stage;
  TableHandler handler{stage};

 private:
  std::vector<std::unique_ptr<LoopThread>> loops_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
};

// A GET of `path`, to be kept alive.
std::string get_request(std::string_view path, std::string_view fields = {});

}  // namespace sandgate::net::testing
