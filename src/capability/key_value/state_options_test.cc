// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/state_options.h"

#include <gtest/gtest.h>

namespace sandgate::capability {
namespace {

TEST(StateUrl, NamesThreeKinds) {
  EXPECT_EQ(parse_state_url("memory:")->kind, StateUrl::Kind::kMemory);
  EXPECT_EQ(parse_state_url("sqlite:/var/lib/x.db")->path, "/var/lib/x.db");
  EXPECT_EQ(parse_state_url("redis://cache")->text(), "redis://cache:6379/0");
}

TEST(StateUrl, ReadsEveryPartOfARedisUrl) {
  Result<StateUrl> url = parse_state_url("redis://me:p%40ss%3a@[::1]:7000/3");
  ASSERT_TRUE(url) << url.error().detail;
  EXPECT_EQ(url->user, "me");
  EXPECT_EQ(url->password, "p@ss:");
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 7000);
  EXPECT_EQ(url->database, 3U);
  EXPECT_EQ(url->text(), "redis://[::1]:7000/3");
  Result<StateUrl> bare = parse_state_url("redis://:secret@host/");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->user, "");
  EXPECT_EQ(bare->password, "secret");
  EXPECT_EQ(bare->database, 0U);
}

TEST(StateUrl, RefusesWhatItCannotReadAndKeepsPasswordsToItself) {
  for (std::string_view text :
       {"", "memory", "sqlite:", "redis:", "redis://", "redis://:6379", "redis://hunter2@host", "redis://u:@host",
        "redis://u:hunter2@host:0", "redis://u:hunter2@host:65536", "redis://u:hunter2@host:1x", "redis://u:hunter2%@h",
        "redis://u:hunter2%zz@h", "redis://u:hunter2@host/x", "redis://u:hunter2@host/-1", "redis://u:hunter2@[::1",
        "redis://u:hunter2@[::1]x", "http://u:hunter2@host"}) {
    Result<StateUrl> url = parse_state_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().kind, ErrorKind::kInvalid) << text;
    EXPECT_EQ(url.error().detail.find("hunter2"), std::string::npos) << url.error().detail;
  }
}

TEST(StateUrl, RedissIsRedisWithTls) {
  Result<StateUrl> url = parse_state_url("rediss://:secret@cache/1");
  ASSERT_TRUE(url) << url.error().detail;
  EXPECT_EQ(url->transport, StateUrl::Transport::kTls);
  EXPECT_EQ(url->password, "secret");
  EXPECT_EQ(url->text(), "rediss://cache:6379/1");
  EXPECT_EQ(parse_state_url("redis://cache")->transport, StateUrl::Transport::kPlain);
  EXPECT_FALSE(parse_state_url("rediss://"));
  EXPECT_FALSE(parse_state_url("redisss://cache"));
}

}  // namespace
}  // namespace sandgate::capability
