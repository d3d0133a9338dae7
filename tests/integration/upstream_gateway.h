// SPDX-License-Identifier: Apache-2.0
//
// A gateway in front of one upstream with any options, in the test's process: loops, a listener, the gateway and the
// proxy, without what configuration would add.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/proxy.h"
#include "gateway/upstream.h"
#include "net/http_server.h"
#include "net/loop_thread.h"
#include "net/resolver.h"

namespace sandgate::test {

// Options for servers on loopback ports.
gateway::UpstreamOptions upstream_options(const std::vector<std::uint16_t>& ports);

class UpstreamGateway {
 public:
  explicit UpstreamGateway(const gateway::UpstreamOptions& options, unsigned loops = 1,
                           net::Resolver::LookUp look_up = &net::resolve_all);
  ~UpstreamGateway();

  std::uint16_t port() const { return port_; }
  gateway::Upstream& upstream() { return *upstream_; }
  gateway::ServerView view(std::size_t server) const { return upstream_->servers()[server]->view(); }
  // Waits until `so(view of the server)`, for as long as a slow machine needs.
  bool wait_until(std::size_t server, const std::function<bool(const gateway::ServerView&)>& so) const;

 private:
  std::vector<std::unique_ptr<net::LoopThread>> loops_;
  net::Resolver resolver_;
  std::shared_ptr<gateway::Upstream> upstream_;
  std::unique_ptr<gateway::Proxy> proxy_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<net::HttpServer> server_;
  std::uint16_t port_ = 0;
};

}  // namespace sandgate::test
