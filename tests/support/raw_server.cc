// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace sandgate::test {
namespace {

constexpr int kLookAgainMs = 20;

std::size_t content_length(std::string_view head) {
  Received parsed;
  parsed.head = head;
  std::string value = parsed.field("content-length").value_or("0");
  std::size_t bytes = 0;
  std::from_chars(value.data(), value.data() + value.size(), bytes);
  return bytes;
}

}  // namespace

RawServer::RawServer(Script script) : script_(std::move(script)) {
  listener_ = platform::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), any, length) == 0 && ::listen(listener_.get(), 128) == 0 &&
      ::getsockname(listener_.get(), any, &length) == 0) {
    port_ = ntohs(address.sin_port);
  }
  acceptor_ = std::thread(&RawServer::accept, this);
}

RawServer::~RawServer() {
  ending_ = true;
  acceptor_.join();
  {
    // Scripts that wait for bytes see the end.
    std::lock_guard lock(mutex_);
    for (int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void RawServer::accept() {
  while (!ending_) {
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kLookAgainMs) <= 0) continue;
    int descriptor = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) continue;
    int number = connections_++;
    std::lock_guard lock(mutex_);
    open_.push_back(descriptor);
    threads_.emplace_back([this, descriptor, number] {
      RawClient connection{platform::Descriptor(descriptor)};
      script_(connection, number);
      std::lock_guard ended(mutex_);
      std::erase(open_, descriptor);
      connection.close();
    });
  }
}

bool RawServer::wait_for_connections(int count) const {
  for (int waited_ms = 0; connections_ < count; waited_ms += kLookAgainMs) {
    if (waited_ms > RawClient::kPatience.count()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookAgainMs));
  }
  return true;
}

std::string RawServer::receive_request(RawClient& connection) {
  std::string request = connection.receive_until("\r\n\r\n");
  std::size_t head_end = request.find("\r\n\r\n");
  if (head_end == std::string::npos) return {};
  std::string_view head = std::string_view(request).substr(0, head_end);
  Received parsed;
  parsed.head = head;
  if (parsed.field("transfer-encoding")) {
    while (!request.ends_with("0\r\n\r\n")) {
      std::string more = connection.receive_some();
      if (more.empty()) return {};
      request += more;
    }
    return request;
  }
  std::size_t whole = head_end + 4 + content_length(head);
  while (request.size() < whole) {
    std::string more = connection.receive_exactly(whole - request.size());
    if (more.empty()) return {};
    request += more;
  }
  return request;
}

RawServer::Script RawServer::answering(std::string_view response) {
  return [text = std::string(response)](RawClient& connection, int) {
    while (!receive_request(connection).empty()) {
      if (!connection.send(text)) return;
    }
  };
}

}  // namespace sandgate::test
