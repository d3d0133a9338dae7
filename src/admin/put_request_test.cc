// SPDX-License-Identifier: Apache-2.0
#include "admin/put_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sandgate::admin {
namespace {

using modules::AttachPoint;
using testing::ElementsAre;
using testing::HasSubstr;

Result<modules::Descriptor> parse_put_request(std::string_view name, std::string_view query) {
  Arena arena;
  return admin::parse_put_request(name, query, http::Fields(arena));
}

TEST(PutRequest, ReadsSettingsFromFields) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("sandgate-config", "key=a%3Db%0a%C3%A4=c");
  fields.add("Sandgate-Config", "empty=");
  Result<modules::Descriptor> parsed = admin::parse_put_request("auth", "attach=OnRequest", fields);
  ASSERT_TRUE(parsed) << parsed.error().detail;
  ASSERT_TRUE(parsed->options.config);
  EXPECT_THAT(*parsed->options.config,
              ElementsAre(testing::Pair("key", "a=b\n\xc3\xa4=c"), testing::Pair("empty", "")));
  for (const char* wrong : {"key", "key=%", "key=1", "other=%ff"}) {
    http::Fields bad(arena);
    bad.add("Sandgate-Config", "key=0");
    bad.add("Sandgate-Config", wrong);
    EXPECT_THAT(admin::parse_put_request("auth", "attach=OnRequest", bad).error().detail, HasSubstr("Sandgate-Config"))
        << wrong;
  }
}

TEST(PutRequest, ReadsEveryParameter) {
  Result<modules::Descriptor> parsed = parse_put_request(
      "auth",
      "attach=OnRequest,OnError&on_failure=open&body=false&instance=reuse&reuse.max_calls=5&reuse.max_age_s=7&"
      "allow=key_value:a,key_value:b");
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->name, "auth");
  EXPECT_EQ(parsed->file_path, "");
  EXPECT_THAT(parsed->attach_points, ElementsAre(AttachPoint::kOnRequest, AttachPoint::kOnError));
  EXPECT_EQ(parsed->options.on_failure, modules::OnFailure::kOpen);
  EXPECT_FALSE(parsed->options.body);
  EXPECT_EQ(parsed->options.instance, modules::InstanceMode::kReuse);
  EXPECT_EQ(parsed->options.reuse_calls_max, 5U);
  EXPECT_EQ(parsed->options.reuse_seconds_max, 7U);
  EXPECT_THAT(parsed->options.key_value, ElementsAre("a", "b"));
  EXPECT_FALSE(parsed->options.config);
}

TEST(PutRequest, DecodesAndKeepsDefaults) {
  Result<modules::Descriptor> parsed = parse_put_request("auth", "&attach=OnRequest%2cOnResponse&");
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->attach_points.size(), 2U);
  EXPECT_EQ(parsed->options, modules::ModuleOptions());
  EXPECT_TRUE(parse_put_request("auth", "attach=")->attach_points.empty());
}

TEST(PutRequest, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "attach: missing"},
      {"attach=onrequest", "attach: expected OnRequest"},
      {"attach=OnRequest&attach=OnError", "attach: given twice"},
      {"attach=OnRequest&on_fail=open", "on_fail: there is no such parameter"},
      {"attach=OnRequest&body=no", "query.body: expected true or false"},
      {"attach=OnRequest&on_failure=true", "query.on_failure: expected"},
      {"attach=OnRequest&reuse.max_calls=0", "query.reuse.max_calls: expected a positive"},
      {"attach=OnRequest&allow=counters", "allow: expected POWER:NAME"},
      {"attach=OnRequest&allow=files:etc", "query.allow.files: there is no such power"},
      {"attach=%4", "percent sign"},
      {"attach=OnRequest&%=1", "percent sign"}};
  for (const auto& [query, says] : cases) {
    Result<modules::Descriptor> parsed = parse_put_request("auth", query);
    ASSERT_FALSE(parsed) << query;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(parsed.error().detail, HasSubstr(says)) << query;
  }
  std::string many = "attach=";
  for (int i = 0; i < 100; ++i) many += "&p" + std::to_string(i) + "=1";
  EXPECT_THAT(parse_put_request("auth", many).error().detail, HasSubstr("too many"));
}

}  // namespace
}  // namespace sandgate::admin
