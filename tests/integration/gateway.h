// SPDX-License-Identifier: Apache-2.0
//
// A whole gateway in the test's process, with a worker behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/server.h"
#include "tests/integration/worker.h"
#include "tests/support/http_client.h"

namespace sandgate::test {

// Settings for a test: one loop, a free port, modules on, nothing kept on disk, no access log, the compiler of this
// build.
config::Settings gateway_settings(const std::vector<std::string>& worker_urls);

class Gateway {
 public:
  // In front of a worker of its own.
  Gateway();
  explicit Gateway(const config::Settings& settings);

  std::uint16_t port() const { return server_->address().port(); }
  server::Server& server() { return *server_; }
  Worker& worker() { return *worker_; }

  // Deploys a guest of tests/guests under its own name. Returns its UUID; fails the test and returns nothing when it is
  // refused. `options`: more members of the module, as `"instance":"reuse"`.
  std::string deploy(std::string_view guest, const std::vector<std::string>& points = {"OnRequest"},
                     std::string_view options = {});
  // The reply to a deployment of this file.
  Received post_module(std::string_view name, std::string_view path,
                       const std::vector<std::string>& points = {"OnRequest"}, std::string_view options = {});
  // PUT /wasm/NAME with the guest's bytes.
  Received put_module(std::string_view name, std::string_view guest, std::string_view query = "attach=OnRequest");
  Received remove(std::string_view uuid) { return fetch(port(), "DELETE", "/wasm/" + std::string(uuid)); }
  // The value of one series of /metrics, name and labels as written there; 0 when there is none.
  std::uint64_t metric(std::string_view series) const;

 private:
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<server::Server> server_;
};

}  // namespace sandgate::test
