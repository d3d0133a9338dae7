// SPDX-License-Identifier: Apache-2.0
//
// A TCP server on loopback that does what a test says, byte by byte: for upstreams that misbehave. One thread accepts,
// one serves each connection. The destructor ends what still runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "platform/descriptor.h"
#include "tests/support/http_client.h"

namespace sandgate::test {

class RawServer {
 public:
  // Called on a thread of its own for each connection; `number` counts them from 0. The connection closes when it
  // returns.
  using Script = std::function<void(RawClient& connection, int number)>;

  explicit RawServer(Script script);
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer();

  std::uint16_t port() const { return port_; }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  // Accepted so far.
  int connections() const { return connections_.load(); }
  // Whether that many were accepted, waiting up to the client's patience.
  bool wait_for_connections(int count) const;

  // Reads one request with its body (by Content-Length or chunked); the text as received. Empty when the peer ends
  // first.
  static std::string receive_request(RawClient& connection);
  // A script for every request of a connection: reads it, sends `response`, again and again.
  static Script answering(std::string_view response);

 private:
  void accept();

  Script script_;
  platform::Descriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::vector<std::thread> threads_;  // guarded
  std::vector<int> open_;             // guarded
  std::thread acceptor_;
};

}  // namespace sandgate::test
