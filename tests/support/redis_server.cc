// SPDX-License-Identifier: Apache-2.0
#include "tests/support/redis_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "platform/descriptor.h"
#include "tests/support/http_client.h"

namespace sandgate::test {
namespace {

std::string text_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

std::string fetched() {
  std::string cache = text_of("SANDGATE_CACHE_DIR");
  if (cache.empty()) {
    std::string caches = text_of("XDG_CACHE_HOME");
    cache = (caches.empty() ? text_of("HOME") + "/.cache" : caches) + "/sandgate";
  }
  return cache + "/test-tools/redis";
}

// Empty when there is none.
std::string program() {
  std::istringstream folders(text_of("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/redis-server").c_str(), X_OK) == 0) return folder + "/redis-server";
  }
  std::string path = fetched() + "/redis-server";
  return ::access(path.c_str(), X_OK) == 0 ? path : "";
}

// One that nobody uses now, and hardly anybody will before the server does.
std::uint16_t free_port() {
  platform::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  return ntohs(address.sin_port);
}

}  // namespace

bool RedisServer::available() { return !program().empty(); }

RedisServer::RedisServer(std::string password) : password_(std::move(password)), port_(free_port()) { start(); }

RedisServer::RedisServer(const TestCertificate& certificate) : port_(free_port()), tls_port_(free_port()) {
  folder_.write("server.pem", certificate.certificate_pem);
  folder_.write("server.key", certificate.key_pem);
  start();
}

std::string RedisServer::tls_url() const { return "rediss://localhost:" + std::to_string(tls_port_); }

std::string RedisServer::url() const {
  std::string user = password_.empty() ? "" : ":" + password_ + "@";
  return "redis://" + user + "127.0.0.1:" + std::to_string(port_);
}

void RedisServer::start() {
  std::string path = program();
  std::string libraries = "LD_LIBRARY_PATH=" + fetched();
  std::vector<std::string> words = {
      path, "--port", std::to_string(port_), "--bind",    "127.0.0.1", "--save",      "",  "--appendonly",
      "no", "--dir",  folder_.path(),        "--logfile", "log",       "--daemonize", "no"};
  if (!password_.empty()) words.insert(words.end(), {"--requirepass", password_});
  if (tls_port_ != 0) {
    std::string certificate = folder_.path("server.pem");
    words.insert(words.end(),
                 {"--tls-port", std::to_string(tls_port_), "--tls-cert-file", certificate, "--tls-key-file",
                  folder_.path("server.key"), "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"});
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<char*> environment = {libraries.data(), nullptr};
  child_ = ::fork();
  if (child_ == 0) {
    ::execve(path.c_str(), arguments.data(), environment.data());
    ::_exit(127);
  }
  for (int i = 0; i < 4000; ++i) {
    RawClient client(port_);
    if (client.connected() && client.send("PING\r\n") && !client.receive_some().empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ADD_FAILURE() << "redis-server does not answer: " << folder_.read("log");
}

void RedisServer::kill() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  child_ = -1;
}

void RedisServer::pause() const { ::kill(child_, SIGSTOP); }
void RedisServer::resume() const { ::kill(child_, SIGCONT); }

std::string RedisServer::ask(std::string_view inline_command) const {
  RawClient client(port_);
  if (!password_.empty()) {
    client.send("AUTH " + password_ + "\r\n");
    client.receive_until("\r\n");
  }
  client.send(std::string(inline_command) + "\r\n");
  return client.receive_some();
}

}  // namespace sandgate::test
