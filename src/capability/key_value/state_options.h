// SPDX-License-Identifier: Apache-2.0
//
// Where key-value stores are kept, as [state] says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "base/result.h"

namespace sandgate::capability {

// What operations answer while Redis cannot be reached.
enum class OnUnavailable : unsigned char {
  kClosed,  // an error, which a strict guest takes for a refusal
  kOpen,    // as a store that is empty and forgets what is written
  kLocal,   // from the memory of this process, until Redis is back
};

// For rediss://.
struct RedisTlsOptions {
  enum class Verify : bool { kOff, kOn };
  Verify verify = Verify::kOn;
  std::string ca_file;      // PEM; empty: the system's authorities
  std::string server_name;  // asked for and verified; empty: the host of the URL
  bool operator==(const RedisTlsOptions&) const = default;
};

struct StateOptions {
  std::string url = "memory:";  // may hold a password
  RedisTlsOptions tls;
  std::string prefix = "sandgate";
  Milliseconds timeout{500};
  OnUnavailable on_unavailable = OnUnavailable::kClosed;
  unsigned connections_max = 16;

  bool operator==(const StateOptions&) const = default;
};

struct StateUrl {
  enum class Kind : unsigned char { kMemory, kSqlite, kRedis };
  enum class Transport : bool { kPlain, kTls };
  Kind kind = Kind::kMemory;
  Transport transport = Transport::kPlain;  // kRedis
  std::string path;                         // kSqlite
  std::string user;                         // kRedis; empty: the default user
  std::string password;
  std::string host;  // without brackets
  std::uint16_t port = 6379;
  unsigned database = 0;

  // Without the password: "memory", "sqlite:PATH", "redis://HOST:PORT/0", "rediss://HOST:PORT/0".
  std::string text() const;
};

// "memory:", "sqlite:PATH" or "redis://[[USER:]PASSWORD@]HOST[:PORT][/DATABASE]", where user and password may have
// %HH; with TLS "rediss://". kInvalid says what is wrong without showing the text, which may hold a password.
Result<StateUrl> parse_state_url(std::string_view url);

}  // namespace sandgate::capability
