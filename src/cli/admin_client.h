// SPDX-License-Identifier: Apache-2.0
//
// Asks a running gateway's module API. One request at a time; blocks its caller.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace sandgate::cli {

class AdminClient {
 public:
  // Of what a reply may have: all modules with all their options.
  static constexpr std::size_t kReplyBytesMax = std::size_t{32} << 20;

  struct Options {
    std::string server = "127.0.0.1:3000";  // HOST:PORT, http://HOST:PORT, or unix:/path
    std::string token;                      // empty: none
  };
  // kInvalid when the server's address is none, kNotFound when its name has no address.
  static Result<AdminClient> create(const Options& options);

  struct Request {
    std::string_view method;
    std::string target;               // path and query
    std::vector<std::string> config;  // values of the field Sandgate-Config
    std::string_view body{};          // wasm
  };
  struct Reply {
    int status = 0;
    std::string body;
  };
  // kUpstream or kTimedOut when the server cannot be reached or does not answer; a module
  // that compiles long is waited for.
  Result<Reply> send(const Request& request) const;

 private:
  AdminClient(net::Address server, std::string authority, std::string token)
      : server_(server), authority_(std::move(authority)), token_(std::move(token)) {}

  net::Address server_;
  std::string authority_;
  std::string token_;
};

}  // namespace sandgate::cli
