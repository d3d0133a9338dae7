// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/upstream_gateway.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <utility>

#include "platform/log.h"

namespace sandgate::test {
namespace {

constexpr std::chrono::milliseconds kLookAgain{5};
constexpr int kLooksMax = 4000;

}  // namespace

gateway::UpstreamOptions upstream_options(const std::vector<std::uint16_t>& ports) {
  gateway::UpstreamOptions options;
  options.name = "test";
  for (std::uint16_t port : ports) options.servers.push_back({.host = "127.0.0.1", .port = port});
  return options;
}

UpstreamGateway::UpstreamGateway(const gateway::UpstreamOptions& options, unsigned loops, net::Resolver::LookUp look_up)
    : resolver_(look_up) {
  log::set_level(log::Level::kOff);
  std::vector<Loop*> all;
  std::vector<net::LoopThread*> threads;
  for (unsigned i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<net::LoopThread>(i));
    all.push_back(loops_.back().get());
    threads.push_back(loops_.back().get());
  }
  gateway::Upstream::Surroundings surroundings;
  surroundings.loops = all;
  surroundings.resolver = &resolver_;
  surroundings.resolve = look_up;
  Result<std::shared_ptr<gateway::Upstream>> upstream = gateway::Upstream::create(options, surroundings);
  EXPECT_TRUE(upstream) << (upstream ? "" : upstream.error().detail);
  upstream_ = std::move(*upstream);
  proxy_ = std::make_unique<gateway::Proxy>(upstream_);
  gateway_ = std::make_unique<gateway::Gateway>(gateway::GatewaySettings{}, *proxy_, loops);
  server_ = net::HttpServer::create(threads, *gateway_, net::ServerOptions{});
  Result<net::Address> bound = server_->listen(*net::resolve("127.0.0.1", 0));
  EXPECT_TRUE(bound);
  port_ = bound->port();
  for (auto& loop : loops_) loop->start({});
  server_->start();
}

UpstreamGateway::~UpstreamGateway() {
  server_->close_all();
  for (int i = 0; i < kLooksMax && server_->open_connections() > 0; ++i) std::this_thread::sleep_for(kLookAgain);
  // The last references, while the loops run: each loop closes what is its own.
  gateway_.reset();
  proxy_.reset();
  upstream_.reset();
  for (auto& loop : loops_) loop->stop();
}

bool UpstreamGateway::wait_until(std::size_t server, const std::function<bool(const gateway::ServerView&)>& so) const {
  for (int i = 0; i < kLooksMax; ++i) {
    if (so(view(server))) return true;
    std::this_thread::sleep_for(kLookAgain);
  }
  return false;
}

}  // namespace sandgate::test
