// SPDX-License-Identifier: Apache-2.0
#include "gateway/chain.h"

#include <gtest/gtest.h>

#include "gateway/testing/middleware_fixture.h"

namespace sandgate::gateway {
namespace {

using modules::AttachPoint;

class ChainTest : public testing::MiddlewareFixture {
 protected:
  // A module of the file, as a route has it.
  static std::shared_ptr<const modules::DeployedModule> own_module(std::string name) {
    auto module = std::make_shared<modules::DeployedModule>();
    module->name = std::move(name);
    module->owner = modules::ModuleOwner::kFile;
    module->attach_points = {AttachPoint::kOnRequest, AttachPoint::kOnResponse};
    return module;
  }
  // The hooks that ran for one request.
  std::string order(const Chain& chain) {
    calls.seen.clear();
    test::FakeExchange request;
    testing::Running served;
    testing::start_serving(chain, request.exchange, served);
    EXPECT_TRUE(served.ended());
    return calls.order();
  }
};

TEST_F(ChainTest, RunsWhatTheApiDeployedBeforeTheRoutesOwn) {
  request_module("api");
  Middleware around(calls, store, settings, inner);
  Chain chain(store, Chain::Deployed::kRun, {own_module("own")}, around, inner, 1);
  EXPECT_EQ(order(chain), "api.request own.request own.response ");
}

TEST_F(ChainTest, SeesWhatIsDeployedAndRemovedLater) {
  Middleware around(calls, store, settings, inner);
  Chain chain(store, Chain::Deployed::kRun, {own_module("own")}, around, inner, 1);
  EXPECT_EQ(order(chain), "own.request own.response ");
  request_module("api");
  EXPECT_EQ(order(chain), "api.request own.request own.response ");
  ASSERT_TRUE(store.remove(deployed[0]->uuid));
  EXPECT_EQ(order(chain), "own.request own.response ");
}

TEST_F(ChainTest, MayLeaveOutWhatTheApiDeployed) {
  request_module("api");
  Middleware around(calls, store, settings, inner);
  EXPECT_EQ(order(Chain(store, Chain::Deployed::kLeftOut, {own_module("own")}, around, inner, 1)),
            "own.request own.response ");
  EXPECT_EQ(order(Chain(store, Chain::Deployed::kLeftOut, {}, around, inner, 1)), "");
}

}  // namespace
}  // namespace sandgate::gateway
