// SPDX-License-Identifier: Apache-2.0
//
// A blocking client that speaks literal HTTP over a loopback socket, and one that makes whole requests. Waits are
// bounded: a test fails instead of hanging.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/descriptor.h"

namespace sandgate::test {

// A response as received.
struct Received {
  int status = 0;         // 0: the connection ended before a whole head
  std::string head;       // with the status line, without the empty line
  std::string body;       // chunks joined
  bool complete = false;  // the body ended as its framing says

  // The first value of a field; nothing when there is none.
  std::optional<std::string> field(std::string_view name) const;
};

class RawClient {
 public:
  static constexpr std::chrono::milliseconds kPatience{20'000};

  // Connects to 127.0.0.1:PORT.
  explicit RawClient(std::uint16_t port);
  // Either end of a connection that exists already; blocking.
  explicit RawClient(platform::Descriptor connected);
  bool connected() const { return static_cast<bool>(socket_); }

  // False when the peer is gone.
  bool send(std::string_view bytes);
  // Whatever arrives next; empty at the end, or when nothing comes within the patience.
  std::string receive_some(std::chrono::milliseconds patience = kPatience);
  // Reads until the text contains `needle`, the end, or the patience is over; returns everything read and not yet
  // taken.
  std::string receive_until(std::string_view needle);
  std::string receive_all();
  // Exactly this many bytes, or fewer at the end or when the patience is over.
  std::string receive_exactly(std::size_t bytes);
  // The next response. `to_head`: it answers a HEAD request and has no body.
  Received receive_response(bool to_head = false);
  // Whether the peer closed the connection (waits for it).
  bool closed_by_peer();

  void shutdown_write();
  // Closes so that the peer sees a reset.
  void reset();
  void close() { socket_.reset(); }
  int fd() const { return socket_.get(); }

 private:
  bool fill(std::chrono::milliseconds patience);

  platform::Descriptor socket_;
  std::string buffer_;
};

using FieldList = std::vector<std::pair<std::string, std::string>>;

// One request on a connection of its own. Adds Host and, with a body or a method that has one, Content-Length.
Received fetch(std::uint16_t port, std::string_view method, std::string_view target, const FieldList& fields = {},
               std::string_view body = {});
inline Received get(std::uint16_t port, std::string_view target, const FieldList& fields = {}) {
  return fetch(port, "GET", target, fields);
}

}  // namespace sandgate::test
