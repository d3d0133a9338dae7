// SPDX-License-Identifier: Apache-2.0
//
// The upstream of the integration tests, in the test's process. What it does depends on the path:
//   /status/NNN   that status with the body "status NNN"
//   /sse          two server-sent events, the second when release() was called
//   /chunks       "one", "two", "three", each a chunk
//   /big/N        N bytes, streamed
//   /wait         answers when release() was called, or never
//   /break        announces 100 bytes, sends 10 and closes
//   /websocket    answers an upgrade and echoes
//   anything else the request as text: the request line without version, the fields, an empty line, the body
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "exchange/handler.h"
#include "net/http_server.h"
#include "net/loop_thread.h"

namespace sandgate::test {

class Worker {
 public:
  explicit Worker(std::string name = "worker");
  ~Worker();

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Requests that arrived, and those whose exchange was cancelled because the gateway closed its connection.
  int requests() const;
  int cancelled() const;
  void release();
  std::size_t connections_accepted() const;
  // Ends the connections and the port.
  void stop();

 private:
  class Behaviour;
  net::LoopThread loop_{0};
  std::unique_ptr<Behaviour> behaviour_;
  std::unique_ptr<net::HttpServer> server_;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
};

}  // namespace sandgate::test
