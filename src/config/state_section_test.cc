// SPDX-License-Identifier: Apache-2.0
#include "config/state_section.h"

#include <gtest/gtest.h>

#include <string>

#include "config/manifest.h"
#include "config/settings.h"

namespace sandgate::config {
namespace {

Loaded load(const std::string& state) {
  return parse_manifest("[state]\n" + state + "\n[[route]]\npath = \"/\"\nrespond = { body = \"x\" }\n", "/etc/gate");
}

std::string mistakes(const Loaded& loaded) {
  std::string all;
  for (const std::string& line : loaded.diagnostics.lines("file")) all += line + "\n";
  return all;
}

TEST(StateSection, ReadsEveryKey) {
  Loaded loaded = load(
      "url = \"redis://:secret@cache:7000/1\"\nprefix = \"blue\"\ntimeout = \"50ms\"\n"
      "on_unavailable = \"local\"\nmax_connections = 2");
  ASSERT_TRUE(loaded.diagnostics.empty()) << mistakes(loaded);
  const capability::StateOptions& state = loaded.settings.state;
  EXPECT_EQ(state.url, "redis://:secret@cache:7000/1");
  EXPECT_EQ(state.prefix, "blue");
  EXPECT_EQ(state.timeout, Milliseconds(50));
  EXPECT_EQ(state.on_unavailable, capability::OnUnavailable::kLocal);
  EXPECT_EQ(state.connections_max, 2U);
}

TEST(StateSection, IsMemoryWhenNothingIsSaid) { EXPECT_EQ(load("").settings.state, capability::StateOptions()); }

TEST(StateSection, AFileBeginsBesideTheConfiguration) {
  EXPECT_EQ(load("url = \"sqlite:state.db\"").settings.state.url, "sqlite:/etc/gate/state.db");
  EXPECT_EQ(load("url = \"sqlite:/var/lib/state.db\"").settings.state.url, "sqlite:/var/lib/state.db");
}

TEST(StateSection, AWrongUrlIsNotShown) {
  std::string text = mistakes(load("url = \"redis://:hunter2@cache:0\""));
  EXPECT_NE(text.find("file:2: state.url: "), std::string::npos) << text;
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
}

TEST(StateSection, RedisMaySpeakTls) {
  Loaded loaded = load("url = \"rediss://cache\"\ntls = { verify = false, server_name = \"cache.internal\" }");
  ASSERT_TRUE(loaded.diagnostics.empty()) << mistakes(loaded);
  const capability::RedisTlsOptions& tls = loaded.settings.state.tls;
  EXPECT_EQ(tls.verify, capability::RedisTlsOptions::Verify::kOff);
  EXPECT_EQ(tls.server_name, "cache.internal");
  EXPECT_EQ(load("url = \"rediss://cache\"").settings.state.tls, capability::RedisTlsOptions());
  EXPECT_NE(mistakes(load("url = \"rediss://cache\"\ntls = { ca_file = \"none.pem\" }")).find("there is no file"),
            std::string::npos);
}

TEST(StateSection, TlsIsForRedissOnly) {
  for (const char* url : {"redis://cache", "memory:", "sqlite:state.db"}) {
    std::string text = mistakes(load(std::string("url = \"") + url + "\"\ntls = { verify = false }"));
    EXPECT_NE(text.find("rediss://"), std::string::npos) << url << ": " << text;
  }
}

TEST(StateSection, NeedsARestart) {
  Settings running;
  Settings next = running;
  next.state.prefix = "green";
  EXPECT_EQ(fixed_settings_that_differ(running, next), "state");
}

}  // namespace
}  // namespace sandgate::config
