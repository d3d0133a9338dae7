// SPDX-License-Identifier: Apache-2.0
//
// A certificate authority that exists for one test, and a TLS server on loopback with a certificate of it. Keys are
// made anew each time; nothing is on disk but what the test writes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/raw_server.h"

namespace sandgate::test {

struct TestIdentity {
  std::string subject = "DNS:localhost,IP:127.0.0.1";  // subjectAltName
  long valid_until_s = 3600;                           // from now; negative: expired
};

// As servers read them from files.
struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};

class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  // For `ca_file`.
  std::string pem() const;
  TestCertificate issue(const TestIdentity& identity) const;

 private:
  friend class TlsServer;
  struct Parts;
  struct Issued;
  Issued make_identity(const TestIdentity& identity) const;
  std::unique_ptr<Parts> parts_;
};

// Answers each request with 200 and a body that says whether the session was resumed: "new" or "resumed".
class TlsServer {
 public:
  TlsServer(const TestAuthority& authority, const TestIdentity& identity);
  ~TlsServer();
  std::uint16_t port() const { return server_->port(); }
  // The name that the last client asked for (SNI).
  std::string asked_for() const;

 private:
  struct Parts;
  void serve(RawClient& connection);
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<RawServer> server_;
};

}  // namespace sandgate::test
