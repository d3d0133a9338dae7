// SPDX-License-Identifier: Apache-2.0
//
// The upstream of the benchmarks: one thread on raw epoll that answers every request with the same 150 bytes and skips
// bodies with a Content-Length. As cheap as a server can be, so that what is measured is the proxy. It also plays a
// language model as far as smg looks: its chat, and what smg asks of a new worker. Usage: origin PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Fri, 21 Nov 2026 04:00:00 GMT\r\nContent-Type: "
    "text/plain\r\nContent-Length: 13\r\n"
    "Connection: keep-alive\r\n\r\nHello, World!";

struct Page {
  std::string_view path;
  std::string_view json;
};

constexpr std::array<Page, 4> kPages = {{
    {"/v1/chat/completions",
     R"({"id":"1","object":"chat.completion","created":1,"model":"bench","choices":[{"index":0,"finish_reason":"stop",)"
     R"("message":{"role":"assistant","content":"384400 km"}}],)"
     R"("usage":{"prompt_tokens":6,"completion_tokens":4,"total_tokens":10}})"},
    {"/v1/models", R"({"object":"list","data":[{"id":"bench","object":"model","owned_by":"sglang"}]})"},
    {"/server_info", R"({"model_path":"bench","served_model_name":"bench","tp_size":1,"dp_size":1,"version":"0.5.0"})"},
    {"/model_info", R"({"model_path":"bench","served_model_name":"bench","is_generation":true})"},
}};

struct Connection {
  int fd = -1;
  std::size_t skip = 0;  // body bytes still to come
  std::size_t held = 0;
  std::string_view answer = kAnswer;  // to the present request
  std::array<char, 65536> bytes;
};

std::size_t content_length(std::string_view head) {
  for (std::string_view name : {"\r\ncontent-length: ", "\r\nContent-Length: "}) {
    std::size_t at = head.find(name);
    if (at == std::string_view::npos) continue;
    std::size_t length = 0;
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    return length;
  }
  return 0;
}

// The whole answers of kPages, made once.
std::array<std::string, kPages.size()> made_pages() {
  std::array<std::string, kPages.size()> made;
  for (std::size_t i = 0; i < kPages.size(); ++i) {
    made[i] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(kPages[i].json.size()) + "\r\n\r\n" + std::string(kPages[i].json);
  }
  return made;
}

std::string_view answer_to(std::string_view head) {
  static const std::array<std::string, kPages.size()> made = made_pages();
  std::string_view target = head.substr(std::min(head.find(' '), head.size() - 1) + 1);
  target = target.substr(0, target.find(' '));
  for (std::size_t i = 0; i < kPages.size(); ++i) {
    if (target == kPages[i].path) return made[i];
  }
  return kAnswer;
}

void answer(const Connection& connection) {
  ::send(connection.fd, connection.answer.data(), connection.answer.size(), MSG_NOSIGNAL);
}

// False when the peer is gone.
bool serve(Connection& connection) {
  ssize_t got =
      ::recv(connection.fd, connection.bytes.data() + connection.held, connection.bytes.size() - connection.held, 0);
  if (got <= 0) return false;
  connection.held += static_cast<std::size_t>(got);
  for (;;) {
    if (connection.skip > 0) {
      std::size_t now = std::min(connection.skip, connection.held);
      connection.skip -= now;
      connection.held -= now;
      std::memmove(connection.bytes.data(), connection.bytes.data() + now, connection.held);
      if (connection.skip > 0) return true;
      answer(connection);
    }
    std::string_view held(connection.bytes.data(), connection.held);
    std::size_t end = held.find("\r\n\r\n");
    if (end == std::string_view::npos) return connection.held < connection.bytes.size();
    connection.skip = content_length(held.substr(0, end + 2));
    connection.answer = answer_to(held.substr(0, end + 2));
    connection.held -= end + 4;
    std::memmove(connection.bytes.data(), connection.bytes.data() + end + 4, connection.held);
    if (connection.skip == 0) answer(connection);
    if (connection.held == 0) return true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  int port = 0;
  if (argc == 2) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port);
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 || ::listen(listener, 4096) != 0) {
    std::perror("origin: cannot listen");
    return 1;
  }
  int poller = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> ready;
  for (;;) {
    int count = ::epoll_wait(poller, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(ready[static_cast<std::size_t>(i)].data.ptr);
      if (connection == nullptr) {
        connection = new Connection;
        connection->fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        event.data.ptr = connection;
        ::epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event);
        event.data.ptr = nullptr;
      } else if (!serve(*connection)) {
        ::close(connection->fd);
        delete connection;
      }
    }
  }
}
