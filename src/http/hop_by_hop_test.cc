// SPDX-License-Identifier: Apache-2.0
#include "http/hop_by_hop.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sandgate::http {
namespace {

// The names that stay of `names`, each with a value, when `connection` lines come before, among and after them.
std::string left(const std::vector<std::string_view>& names, const std::vector<std::string_view>& connection) {
  Arena arena;
  Fields fields(arena);
  for (std::size_t i = 0; i < std::max(names.size(), connection.size()); ++i) {
    if (i < connection.size()) fields.add("Connection", connection[i]);
    if (i < names.size()) fields.add(names[i], "v");
  }
  remove_hop_by_hop(fields);
  std::string text;
  for (const Field& field : fields) {
    if (!text.empty()) text += ' ';
    text += field.name;
  }
  return text;
}

TEST(RemoveHopByHop, RemovesTheKnownOnes) {
  EXPECT_EQ(left({"A", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
                  "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "b"},
                 {"close"}),
            "A b");
}

TEST(RemoveHopByHop, RemovesWhatConnectionNames) {
  EXPECT_EQ(left({"X-One", "x-two", "X-Three", "X-TWO"}, {"x-one, X-Two"}), "X-Three");
  EXPECT_EQ(left({"X-One", "X-Two", "X-Three"}, {"x-one", " ,, x-three\t,", "x-two"}), "");
  EXPECT_EQ(left({"Authorization", "Cookie", "A"}, {"close, authorization"}), "Cookie A");
}

TEST(RemoveHopByHop, RemovesNothingByPartOfAName) {
  EXPECT_EQ(left({"X-One", "One", "X"}, {"x-on, ne, x one, \"x\""}), "X-One One X");
}

TEST(RemoveHopByHop, KeepsWhatASenderMustNotNameAway) {
  const std::string kept =
      "Host Content-Length Date Forwarded Via X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port "
      "X-Forwarded-Prefix X-Real-IP "
      "X-Request-Id";
  EXPECT_EQ(left({"Host", "Content-Length", "Date", "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host",
                  "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "X-Request-Id"},
                 {"host, content-length, date, forwarded, via",
                  "X-Forwarded-For, x-forwarded-host, x-forwarded-proto, x-forwarded-port",
                  "x-forwarded-prefix, x-real-ip, x-request-id"}),
            kept);
}

TEST(RemoveHopByHop, KeepsAFieldNamedClose) { EXPECT_EQ(left({"Close"}, {"close"}), "Close"); }

TEST(GatewaysOwn, IsWhatFramesAndConnects) {
  for (std::string_view name :
       {"Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "Transfer-Encoding", "Content-Length",
        "Proxy-Connection", "Proxy-Authorization", "proxy-authentication-info", "PROXY-status"}) {
    EXPECT_TRUE(is_gateways_own(field_id(name), name)) << name;
  }
  for (std::string_view name :
       {"Host", "Content-Type", "Authorization", "Proxy", "proxy-", "X-Proxy-A", "X-Forwarded-For", "Date"}) {
    EXPECT_FALSE(is_gateways_own(field_id(name), name)) << name;
  }
}

TEST(AsksForWebsocket, NeedsBothFieldsAndNothingElse) {
  Arena arena;
  auto asks = [&arena](std::string_view connection, std::vector<std::string_view> upgrades) {
    Fields fields(arena);
    if (!connection.empty()) fields.add("Connection", connection);
    for (std::string_view upgrade : upgrades) fields.add("Upgrade", upgrade);
    return asks_for_websocket(fields);
  };
  EXPECT_TRUE(asks("Upgrade", {"websocket"}));
  EXPECT_TRUE(asks("keep-alive, UPGRADE", {"WebSocket"}));
  EXPECT_FALSE(asks("keep-alive", {"websocket"}));
  EXPECT_FALSE(asks("", {"websocket"}));
  EXPECT_FALSE(asks("Upgrade", {}));
  EXPECT_FALSE(asks("Upgrade", {"h2c"}));
  EXPECT_FALSE(asks("Upgrade", {"websocket, h2c"}));
  EXPECT_FALSE(asks("Upgrade", {"websocket", "h2c"}));
  EXPECT_FALSE(asks("Upgrade", {"websocket", "websocket"}));
}

}  // namespace
}  // namespace sandgate::http
