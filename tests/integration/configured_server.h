// SPDX-License-Identifier: Apache-2.0
//
// A server in the test's process from the text of a configuration file, with all that the text says about the process;
// modules are off. It listens on a free port of 127.0.0.1 and keeps nothing.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/manifest.h"
#include "platform/log.h"
#include "server/server.h"
#include "tests/support/http_client.h"

namespace sandgate::test {

class ConfiguredServer {
 public:
  // Relative paths of the text begin in `directory`.
  explicit ConfiguredServer(const std::string& text, const std::string& directory = "/") {
    log::set_level(log::Level::kOff);
    config::Loaded loaded = config::parse_manifest(text, directory);
    for (const std::string& line : loaded.diagnostics.lines("file")) ADD_FAILURE() << line;
    config::Settings settings = loaded.settings;
    settings.listen = {"127.0.0.1:0"};
    settings.data_directory.clear();
    settings.access_log = telemetry::AccessLogFormat::kOff;
    Result<std::unique_ptr<server::Server>> server = server::Server::start(settings, loaded.manifest);
    EXPECT_TRUE(server) << (server ? "" : server.error().detail);
    if (server) server_ = std::move(*server);
  }

  std::uint16_t port() const { return server_->address().port(); }
  server::Server& server() { return *server_; }
  // The value of one series of /metrics, name and labels as written there; 0 when there is none.
  std::uint64_t metric(std::string_view series) const {
    std::string page = "\n" + get(port(), "/metrics").body;
    std::string line = "\n" + std::string(series) + " ";
    std::size_t at = page.find(line);
    return at == std::string::npos ? 0 : std::stoull(page.substr(at + line.size(), 20));
  }

 private:
  std::unique_ptr<server::Server> server_;
};

}  // namespace sandgate::test
