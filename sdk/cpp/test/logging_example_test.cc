// SPDX-License-Identifier: Apache-2.0
//
// The example guest, natively: the table of examples/logging/README.md.
#include "examples/logging/middleware.cc"

#include <gtest/gtest.h>
#include <sandgate/guest/testkit.h>

namespace {

class LoggingExample : public ::testing::Test {
 protected:
  LoggingExample() { memory().reset(); }

  static std::string fields_set(const Action& action) {
    std::string text;
    const auto& list = action.lowered().modify.headers_set;
    for (std::uint32_t i = 0; i < list.size; ++i) {
      text.append(list.data[i].name.data, list.data[i].name.size).append("=");
      text.append(list.data[i].value.data, list.data[i].value.size).append(" ");
    }
    return text;
  }
};

TEST_F(LoggingExample, TagsEveryRequest) {
  Request request;
  request.path = "/generate";
  request.request_id = "id-1";
  request.now_epoch_ms = 1'700'000'000'123;
  EXPECT_EQ(fields_set(on_request(request)), "x-request-id=id-1 x-wasm-processed=true x-processed-at=1700000000123 ");
}

TEST_F(LoggingExample, TellsApiRoutes) {
  for (const std::string_view path : {"/api/users", "/v1/models"}) {
    Request request;
    request.path = path;
    EXPECT_NE(fields_set(on_request(request)).find("x-api-route=true"), std::string::npos);
  }
}

TEST_F(LoggingExample, WritesZero) {
  EXPECT_NE(fields_set(on_request(Request())).find("x-processed-at=0 "), std::string::npos);
}

TEST_F(LoggingExample, TurnsA500IntoA503AndLeavesTheRest) {
  Response response;
  response.status = 500;
  EXPECT_EQ(on_response(response).lowered().modify.status, 503);
  for (const int status : {200, 404, 501, 503}) {
    response.status = static_cast<std::uint16_t>(status);
    EXPECT_TRUE(testkit::passes_unchanged(on_response(response)));
  }
}

}  // namespace
