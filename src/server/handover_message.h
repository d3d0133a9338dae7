// SPDX-License-Identifier: Apache-2.0
//
// What a server and its successor say to each other while listening sockets change hands. Each message is one JSON
// object with the version in front; the descriptors of an offer come beside it, in its order. Text only, no I/O.
//
//   successor    server
//   hello    ->                    who connects asks for the sockets
//            <-  offer             they are here: sockets, then the socket of the handover itself, then the data lock
//   ready    ->                    "I accept on these now"
//            <-  done              "they are yours"; the server drains
//            <-  cancelled         instead of an offer or of done, with the reason: the server goes on as before
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandgate::server {

struct HandoverMessage {
  // Of the conversation. Another one is refused: whoever updates across it stops the old server first.
  static constexpr int kVersion = 1;

  enum class Kind : unsigned char { kHello, kOffer, kReady, kDone, kCancelled };
  // One listening socket. Several may have one address (SO_REUSEPORT): they are of one group, counted from 0.
  struct Socket {
    std::string listener;  // "main", "metrics" or "admin"
    std::string address;   // as bound
    std::string asked;     // when the port was to be chosen: the address with port 0
    std::size_t group_index = 0;

    bool operator==(const Socket&) const = default;
  };

  Kind kind = Kind::kHello;
  std::vector<Socket> sockets{};     // of kOffer
  bool data_lock = false;            // of kOffer: the lock of the data directory is the last descriptor
  std::vector<std::size_t> taken{};  // of kReady: which of the offered sockets
  std::string reason{};              // of kCancelled

  bool operator==(const HandoverMessage&) const = default;
};

std::string write_handover_message(const HandoverMessage& message);
// kUnsupported: another version, which the detail names. kInvalid: anything else that is no message; `taken` with a
// number twice is one.
Result<HandoverMessage> parse_handover_message(std::string_view text);

}  // namespace sandgate::server
