// SPDX-License-Identifier: Apache-2.0
//
// TLS as a client, for connections to upstreams (OpenSSL 3; TLS 1.2 and 1.3). TlsClient is what the connections to one
// server share: authorities, the name that is asked for and verified. TlsChannel is one connection's: it reads and
// writes the socket itself and never blocks. The waiting is Stream's business (stream.h). A client may be shared by all
// loops; a channel is its loop's.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sandgate::net {

class TlsChannel {
 public:
  enum class Step : unsigned char {
    kDone,
    kWantsInput,   // when the socket has more
    kWantsOutput,  // when the socket takes more
    kEnd,          // the peer said goodbye
    kBroken,       // see failure()
  };

  virtual ~TlsChannel() = default;
  // Once, with the connected socket, which outlives the channel's use.
  virtual void attach(int descriptor) = 0;
  virtual Step handshake() = 0;
  // Plain bytes; `*count` is how many.
  virtual Step read(std::span<char> room, std::size_t* count) = 0;
  // After kWantsOutput the same bytes must come again; they may have moved.
  virtual Step write(std::string_view bytes, std::size_t* count) = 0;
  // Whether plain bytes or the end are there; tickets and the like are taken. One byte stays where it is.
  virtual bool silent() = 0;
  // Says goodbye, as far as the socket takes it at once.
  virtual void say_goodbye() = 0;
  // Why it broke, for the log: "certificate has expired".
  virtual std::string failure() const = 0;
};

struct TlsClientOptions {
  enum class Verify : bool { kOff, kOn };
  Verify verify = Verify::kOn;
  std::string ca_file;      // PEM; empty: the system's authorities
  std::string server_name;  // a name or an address: verified, and, if a name, asked for (SNI)
};

class TlsClient {
 public:
  // kInvalid: the file of authorities cannot be used; kInternal: OpenSSL refuses.
  static Result<std::shared_ptr<TlsClient>> create(const TlsClientOptions& options);
  virtual ~TlsClient() = default;

  // A channel that goes on with a session of an earlier connection, if the server agrees. kInternal: out of memory.
  virtual Result<std::unique_ptr<TlsChannel>> open() = 0;
};

}  // namespace sandgate::net
