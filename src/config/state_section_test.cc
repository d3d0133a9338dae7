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
  EXPECT_NE(mistakes(load("url = \"rediss://cache\"")).find("TLS"), std::string::npos);
}

TEST(StateSection, NeedsARestart) {
  Settings running;
  Settings next = running;
  next.state.prefix = "green";
  EXPECT_EQ(fixed_settings_that_differ(running, next), "state");
}

}  // namespace
}  // namespace sandgate::config
