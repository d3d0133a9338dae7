// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/gateway.h"

#include <gtest/gtest.h>

#include "platform/log.h"
#include "tests/support/paths.h"

namespace sandgate::test {
namespace {

std::unique_ptr<server::Server> start(const config::Settings& settings) {
  log::set_level(log::Level::kOff);
  Result<std::unique_ptr<server::Server>> server = server::Server::start(settings);
  EXPECT_TRUE(server) << (server ? "" : server.error().detail + " " + server.error().cause);
  return server ? std::move(*server) : nullptr;
}

}  // namespace

config::Settings gateway_settings(const std::vector<std::string>& worker_urls) {
  config::Settings settings;
  settings.port = 0;
  settings.threads = 1;
  settings.worker_urls = worker_urls;
#if defined(__has_feature) && __has_feature(thread_sanitizer)
  settings.enable_wasm = false;  // see tests/CMakeLists.txt
#else
  settings.enable_wasm = true;
#endif
  settings.access_log = telemetry::AccessLogFormat::kOff;
  settings.compiler_program = binary_path();
  return settings;
}

Gateway::Gateway() : worker_(std::make_unique<Worker>()), server_(start(gateway_settings({worker_->url()}))) {}

Gateway::Gateway(const config::Settings& settings) : server_(start(settings)) {}

Received Gateway::post_module(std::string_view name, std::string_view path, const std::vector<std::string>& points,
                              std::string_view options) {
  std::string attach;
  for (const std::string& point : points)
    attach += (attach.empty() ? "" : ",") + ("{\"Middleware\":\"" + point + "\"}");
  std::string body = "{\"modules\":[{\"name\":\"" + std::string(name) + "\",\"file_path\":\"" + std::string(path) +
                     "\",\"module_type\":\"Middleware\",\"attach_points\":[" + attach + "]" +
                     (options.empty() ? "" : "," + std::string(options)) + "}]}";
  return fetch(port(), "POST", "/wasm", {{"Content-Type", "application/json"}}, body);
}

Received Gateway::put_module(std::string_view name, std::string_view guest, std::string_view query) {
  return fetch(port(), "PUT", "/wasm/" + std::string(name) + "?" + std::string(query), {}, read_guest(guest));
}

std::string Gateway::deploy(std::string_view guest, const std::vector<std::string>& points, std::string_view options) {
  constexpr std::string_view kSuccess = "\"Success\":\"";
  Received reply = post_module(guest, guest_path(guest), points, options);
  std::size_t at = reply.body.find(kSuccess);
  if (reply.status != 200 || at == std::string::npos) {
    ADD_FAILURE() << "deploying " << guest << ": " << reply.status << " " << reply.body;
    return {};
  }
  return reply.body.substr(at + kSuccess.size(), 36);
}

std::uint64_t Gateway::metric(std::string_view series) const {
  std::string page = "\n" + get(port(), "/metrics").body;
  std::string line = "\n" + std::string(series) + " ";
  std::size_t at = page.find(line);
  return at == std::string::npos ? 0 : std::stoull(page.substr(at + line.size(), 20));
}

}  // namespace sandgate::test
