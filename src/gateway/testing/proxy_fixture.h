// SPDX-License-Identifier: Apache-2.0
//
// A proxy between a fake exchange and scripted upstreams, for the proxy's tests.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/proxy.h"
#include "gateway/testing/fake_upstream.h"
#include "gateway/testing/running.h"
#include "tests/support/fake_exchange.h"

namespace sandgate::gateway::testing {

class FakeUpgrade final : public Exchange::Upgrade {
 public:
  Task<Result<RawStream*>> take_over(const http::ResponseHead& head) override {
    status = head.status;
    for (const http::Field& field : head.fields)
      fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    if (refuse) co_return fail(ErrorKind::kUnsupported, "this connection cannot be upgraded");
    co_return &stream;
  }
  PushedStream stream;
  std::string fields;
  int status = 0;
  bool refuse = false;
};

class ProxyFixture : public ::testing::Test {
 protected:
  // Servers and the request; the script follows.
  void prepare(std::string_view method = "GET", std::size_t servers = 1, UpstreamOptions options = {}) {
    // A second time in one test: an upstream must not outlive its loop.
    proxy.reset();
    upstream.reset();
    fake = std::make_unique<test::FakeExchange>(method, "/path");
    upstream = std::make_unique<FakeUpstream>(fake->loop, servers, std::move(options));
    proxy = std::make_unique<Proxy>(upstream->upstream);
    fake->exchange.set_upgrade(&upgrade);
  }
  Conversation& expect(std::size_t server = 0) { return upstream->scripts[server].expect(); }
  PushedBody& upload(std::optional<std::uint64_t> length = std::nullopt) {
    auto body = std::make_unique<PushedBody>(length);
    PushedBody& reference = *body;
    fake->set_body(std::move(body));
    return reference;
  }
  void start() { start_serving(*proxy, fake->exchange, running); }
  void serve() {
    start();
    ASSERT_TRUE(running.ended());
  }
  // How serve() ended: "ok", or kind and detail of the error.
  std::string outcome() const {
    if (!running.ended()) return "running";
    if (*running.status) return "ok";
    return std::string(error_kind_name(running.status->error().kind)) + ": " + running.status->error().detail;
  }
  const test::SentResponse& sent() const { return fake->sent(); }

  std::unique_ptr<test::FakeExchange> fake;
  std::unique_ptr<FakeUpstream> upstream;
  std::unique_ptr<Proxy> proxy;
  FakeUpgrade upgrade;
  Running running;
};

}  // namespace sandgate::gateway::testing
