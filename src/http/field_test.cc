// SPDX-License-Identifier: Apache-2.0
#include "http/field.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace sandgate::http {
namespace {

const std::vector<std::pair<std::string, FieldId>>& known_names() {
  static const std::vector<std::pair<std::string, FieldId>> kNames = {
      {"accept", FieldId::kAccept},
      {"authorization", FieldId::kAuthorization},
      {"connection", FieldId::kConnection},
      {"content-length", FieldId::kContentLength},
      {"content-type", FieldId::kContentType},
      {"cookie", FieldId::kCookie},
      {"date", FieldId::kDate},
      {"expect", FieldId::kExpect},
      {"forwarded", FieldId::kForwarded},
      {"host", FieldId::kHost},
      {"http2-settings", FieldId::kHttp2Settings},
      {"keep-alive", FieldId::kKeepAlive},
      {"origin", FieldId::kOrigin},
      {"proxy-authenticate", FieldId::kProxyAuthenticate},
      {"proxy-authentication-info", FieldId::kProxyAuthenticationInfo},
      {"proxy-authorization", FieldId::kProxyAuthorization},
      {"proxy-connection", FieldId::kProxyConnection},
      {"sec-fetch-site", FieldId::kSecFetchSite},
      {"sec-websocket-accept", FieldId::kSecWebSocketAccept},
      {"sec-websocket-key", FieldId::kSecWebSocketKey},
      {"server", FieldId::kServer},
      {"set-cookie", FieldId::kSetCookie},
      {"te", FieldId::kTe},
      {"trailer", FieldId::kTrailer},
      {"transfer-encoding", FieldId::kTransferEncoding},
      {"upgrade", FieldId::kUpgrade},
      {"via", FieldId::kVia},
      {"x-forwarded-for", FieldId::kXForwardedFor},
      {"x-forwarded-host", FieldId::kXForwardedHost},
      {"x-forwarded-port", FieldId::kXForwardedPort},
      {"x-forwarded-proto", FieldId::kXForwardedProto},
      {"x-forwarded-prefix", FieldId::kXForwardedOther},
      {"x-forwarded-client-cert", FieldId::kXForwardedOther},
      {"x-real-ip", FieldId::kXRealIp},
      {"x-request-id", FieldId::kXRequestId},
  };
  return kNames;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string names(const Fields& fields) {
  std::string text;
  for (const Field& field : fields) text += std::string(field.name) + "=" + std::string(field.value) + ";";
  return text;
}

TEST(FieldId, KnowsItsNamesInAnyCase) {
  for (const auto& [name, id] : known_names()) {
    EXPECT_EQ(field_id(name), id) << name;
    EXPECT_EQ(field_id(upper(name)), id) << name;
  }
}

TEST(FieldId, KnowsNoNameThatDiffersInOneByte) {
  for (const auto& [name, id] : known_names()) {
    if (id == FieldId::kXForwardedOther) continue;
    for (std::size_t i = 0; i < name.size(); ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string other = name;
        other[i] = static_cast<char>(byte);
        if (upper(other) == upper(name)) continue;
        ASSERT_NE(field_id(other), id) << name << ' ' << i << ' ' << byte;
      }
    }
    EXPECT_NE(field_id(name + "x"), id);
    EXPECT_NE(field_id(name.substr(0, name.size() - 1)), id);
  }
}

TEST(FieldId, IsOtherForEverythingElse) {
  for (std::string_view name :
       {"", "a", "x-forwarded-", "user-agent", "accept-encoding", "hos", "content-length2", "www-authenticate"}) {
    EXPECT_EQ(field_id(name), FieldId::kOther) << name;
  }
}

TEST(FieldName, IsAToken) {
  EXPECT_TRUE(is_field_name("X-Request-Id"));
  EXPECT_TRUE(is_field_name("_"));
  for (std::string_view name : {"", " ", "a b", "a:", "a\r", "\xc3\xa9", "a/b"})
    EXPECT_FALSE(is_field_name(name)) << name;
}

TEST(FieldValue, HasNoControlBytesAndNoBlanksAround) {
  for (std::string_view value : {"", "a", "a b", "a\tb", "\xff\x80", "\"a\""})
    EXPECT_TRUE(is_field_value(value)) << value;
  for (std::string_view value : {" a", "a ", "\ta", "a\t", " ", "a\rb", "a\nb", "a\x7f", "\x1f"})
    EXPECT_FALSE(is_field_value(value)) << value;
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
}

TEST(Fields, FindsTheFirstWithoutCase) {
  Arena arena;
  Fields fields(arena);
  fields.add("X-A", "1");
  fields.add("x-a", "2");
  fields.add("HOST", "h");
  EXPECT_EQ(fields.find("X-a"), "1");
  EXPECT_EQ(fields.find(FieldId::kHost), "h");
  EXPECT_EQ(fields.find("x-b"), std::nullopt);
  EXPECT_EQ(fields.find(FieldId::kVia), std::nullopt);
  EXPECT_TRUE(fields.has(FieldId::kHost));
  EXPECT_EQ(fields.count(FieldId::kOther), 2U);
}

TEST(Fields, SetReplacesAllLinesAtThePlaceOfTheFirst) {
  Arena arena;
  Fields fields(arena);
  fields.add("a", "1");
  fields.add("b", "2");
  fields.add("A", "3");
  fields.add("c", "4");
  fields.set("A", "5");
  EXPECT_EQ(names(fields), "A=5;b=2;c=4;");
  fields.set("d", "6");
  EXPECT_EQ(names(fields), "A=5;b=2;c=4;d=6;");
}

TEST(Fields, RemoveTakesAllLinesOfAName) {
  Arena arena;
  Fields fields(arena);
  fields.add("Via", "1");
  fields.add("b", "2");
  fields.add("via", "3");
  fields.add("B", "4");
  EXPECT_EQ(fields.remove("B"), 2U);
  EXPECT_EQ(fields.remove(FieldId::kVia), 2U);
  EXPECT_EQ(fields.remove("B"), 0U);
  EXPECT_TRUE(fields.empty());
}

TEST(Fields, KeepIfKeepsTheOrder) {
  Arena arena;
  Fields fields(arena);
  for (std::string_view name : {"a", "b", "c", "d"}) fields.add(name, "");
  fields.keep_if([](const Field& field) { return field.name == "b" || field.name == "d"; });
  EXPECT_EQ(names(fields), "b=;d=;");
}

TEST(Fields, GrowPastAnyReserve) {
  Arena arena;
  Fields fields(arena);
  fields.reserve(3);
  for (int i = 0; i < 1000; ++i) fields.add_copy("n" + std::to_string(i), std::to_string(i));
  ASSERT_EQ(fields.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(fields[i].value, std::to_string(i));
}

TEST(Fields, CopiesKeepTheirText) {
  Arena arena;
  Fields fields(arena);
  {
    std::string name = "name-that-goes-away";
    std::string value = "value-that-goes-away";
    fields.add_copy(name, value);
    fields.set_copy("other", value);
    name.assign(name.size(), '!');
    value.assign(value.size(), '!');
  }
  EXPECT_EQ(names(fields), "name-that-goes-away=value-that-goes-away;other=value-that-goes-away;");
}

}  // namespace
}  // namespace sandgate::http
