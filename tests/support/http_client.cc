// SPDX-License-Identifier: Apache-2.0
#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "base/ascii.h"

namespace sandgate::test {
namespace {

std::string decode_chunks(std::string& buffer, const std::function<bool()>& fill, bool& complete) {
  std::string body;
  for (;;) {
    std::size_t line_end = buffer.find("\r\n");
    while (line_end == std::string::npos) {
      if (!fill()) return body;
      line_end = buffer.find("\r\n");
    }
    std::size_t size = 0;
    std::from_chars(buffer.data(), buffer.data() + line_end, size, 16);
    while (buffer.size() < line_end + 2 + size + 2) {
      if (!fill()) return body + buffer.substr(std::min(buffer.size(), line_end + 2));
    }
    if (size == 0) {
      std::size_t end = buffer.find("\r\n\r\n", line_end);
      while (end == std::string::npos) {
        if (!fill()) return body;
        end = buffer.find("\r\n\r\n", line_end);
      }
      buffer.erase(0, end + 4);
      complete = true;
      return body;
    }
    body.append(buffer, line_end + 2, size);
    buffer.erase(0, line_end + 2 + size + 2);
  }
}

}  // namespace

std::optional<std::string> Received::field(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    std::size_t end = rest.find("\r\n");
    std::string_view line = rest.substr(0, end);
    std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), name))
      return std::string(trimmed(line.substr(colon + 1)));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 2);
  }
  return std::nullopt;
}

RawClient::RawClient(platform::Descriptor connected) : socket_(std::move(connected)) {
  // A peer that takes nothing fails the test, too.
  timeval patience{kPatience.count() / 1000, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

RawClient::RawClient(std::uint16_t port) {
  platform::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    *this = RawClient(std::move(socket));
  }
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::fill(std::chrono::milliseconds patience) {
  pollfd waiting{socket_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return false;
  std::array<char, 65536> piece;
  ssize_t got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  buffer_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawClient::receive_some(std::chrono::milliseconds patience) {
  if (buffer_.empty()) fill(patience);
  return std::exchange(buffer_, {});
}

std::string RawClient::receive_until(std::string_view needle) {
  while (buffer_.find(needle) == std::string::npos && fill(kPatience)) {}
  return std::exchange(buffer_, {});
}

std::string RawClient::receive_exactly(std::size_t bytes) {
  while (buffer_.size() < bytes && fill(kPatience)) {}
  std::string taken = buffer_.substr(0, bytes);
  buffer_.erase(0, taken.size());
  return taken;
}

std::string RawClient::receive_all() {
  while (fill(kPatience)) {}
  return std::exchange(buffer_, {});
}

Received RawClient::receive_response(bool to_head) {
  Received response;
  std::size_t head_end = std::string::npos;
  while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(kPatience)) return response;
  }
  response.head = buffer_.substr(0, head_end);
  buffer_.erase(0, head_end + 4);
  if (response.head.size() > 12) std::from_chars(response.head.data() + 9, response.head.data() + 12, response.status);
  if (to_head || response.status < 200 || response.status == 204 || response.status == 304) {
    response.complete = true;
    return response;
  }
  auto fill_more = [this] { return fill(kPatience); };
  if (response.field("transfer-encoding")) {
    response.body = decode_chunks(buffer_, fill_more, response.complete);
  } else if (std::optional<std::string> length = response.field("content-length")) {
    std::size_t bytes = 0;
    std::from_chars(length->data(), length->data() + length->size(), bytes);
    while (buffer_.size() < bytes && fill_more()) {}
    response.complete = buffer_.size() >= bytes;
    response.body = buffer_.substr(0, bytes);
    buffer_.erase(0, response.body.size());
  } else {
    response.body = receive_all();
    response.complete = true;
  }
  return response;
}

bool RawClient::closed_by_peer() {
  pollfd waiting{socket_.get(), POLLIN, 0};
  while (::poll(&waiting, 1, static_cast<int>(kPatience.count())) > 0) {
    std::array<char, 4096> piece;
    if (::recv(socket_.get(), piece.data(), piece.size(), 0) <= 0) return true;
  }
  return false;
}

void RawClient::shutdown_write() { ::shutdown(socket_.get(), SHUT_WR); }

void RawClient::reset() {
  linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  socket_.reset();
}

Received fetch(std::uint16_t port, std::string_view method, std::string_view target, const FieldList& fields,
               std::string_view body) {
  RawClient client(port);
  if (!client.connected()) return {};
  bool has_host = false;
  std::string request = fmt::format("{} {} HTTP/1.1\r\n", method, target);
  for (const auto& [name, value] : fields) {
    has_host = has_host || equals_ignoring_case(name, "host");
    request += fmt::format("{}: {}\r\n", name, value);
  }
  if (!has_host) request += fmt::format("Host: 127.0.0.1:{}\r\n", port);
  if (!body.empty() || method == "POST" || method == "PUT")
    request += fmt::format("Content-Length: {}\r\n", body.size());
  request += "Connection: close\r\n\r\n";
  request += body;
  if (!client.send(request)) {
    // Refused early: the answer may be there already.
  }
  return client.receive_response(method == "HEAD");
}

}  // namespace sandgate::test
