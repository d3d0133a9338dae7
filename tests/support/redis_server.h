// SPDX-License-Identifier: Apache-2.0
//
// A redis-server of the test's own on loopback, which keeps nothing on disk. Ended with the test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/support/temporary_folder.h"
#include "tests/support/tls_server.h"

namespace sandgate::test {

class RedisServer {
 public:
  // Whether there is one: of PATH, or what tools/test_tools fetched.
  static bool available();

  // Starts it; `password` empty: none is asked for.
  explicit RedisServer(std::string password = "");
  // One that speaks TLS with this certificate on a second port.
  explicit RedisServer(const TestCertificate& certificate);
  ~RedisServer() { kill(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // "redis://127.0.0.1:PORT", with the password.
  std::string url() const;
  // "rediss://localhost:PORT", of one with a certificate.
  std::string tls_url() const;
  // Ends it as a crash would; its values are gone.
  void kill();
  // On the same port.
  void start();
  // Keeps its connections and answers nothing until resume().
  void pause() const;
  void resume() const;
  // What it says to one command, as in its protocol.
  std::string ask(std::string_view inline_command) const;

 private:
  TemporaryFolder folder_;
  const std::string password_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;  // 0: none
  pid_t child_ = -1;
};

}  // namespace sandgate::test
