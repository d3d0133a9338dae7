// SPDX-License-Identifier: Apache-2.0
//
// The module API on a listener of its own.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "tests/integration/gateway.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

// One request over a Unix socket.
Received ask(const std::string& path, const std::string& head) {
  platform::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0) << path;
  RawClient client(std::move(socket));
  client.send(head);
  return client.receive_response();
}

TEST(AdminListener, TakesTheModuleApiOffTheMainPort) {
  Worker worker;
  TemporaryFolder folder;
  std::string path = folder.path("admin.sock");
  config::Settings settings = gateway_settings({worker.url()});
  settings.admin_listen = "unix:" + path;
  settings.host = "0.0.0.0";
  Gateway gateway(settings);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const char* target : {"/wasm", "/wasm/auth"}) EXPECT_EQ(get(gateway.port(), target).status, 404) << target;
  EXPECT_EQ(gateway.put_module("auth", "reject_403").status, 404);
  // No token, and any Host: the permissions of the socket decide.
  EXPECT_EQ(ask(path, "GET /wasm HTTP/1.1\r\nHost: anything\r\n\r\n").status, 200);
  EXPECT_EQ(ask(path, "GET /wasm/none HTTP/1.1\r\nHost: anything\r\n\r\n").status, 404);
  EXPECT_EQ(ask(path, "GET /status/200 HTTP/1.1\r\nHost: anything\r\n\r\n").status, 404);
  EXPECT_EQ(get(gateway.port(), "/status/200").status, 200);
}

TEST(AdminListener, ATokenCountsThereToo) {
  Worker worker;
  TemporaryFolder folder;
  std::string path = folder.path("admin.sock");
  config::Settings settings = gateway_settings({worker.url()});
  settings.admin_listen = "unix:" + path;
  settings.admin_token = "secret";
  Gateway gateway(settings);
  EXPECT_EQ(ask(path, "GET /wasm HTTP/1.1\r\nHost: a\r\n\r\n").status, 401);
  EXPECT_EQ(ask(path, "GET /wasm HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n\r\n").status, 200);
}

TEST(AdminListener, BeyondLoopbackItNeedsAToken) {
  Worker worker;
  config::Settings settings = gateway_settings({worker.url()});
  settings.admin_listen = "0.0.0.0:0";
  Result<std::unique_ptr<server::Server>> refused = server::Server::start(settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(refused.error().detail.find("--admin-token"), std::string::npos) << refused.error().detail;
  settings.admin_token = "secret";
  EXPECT_TRUE(server::Server::start(settings));
  settings.admin_token.clear();
  settings.admin_listen = "127.0.0.1:0";
  EXPECT_TRUE(server::Server::start(settings));
}

}  // namespace
}  // namespace sandgate::test
