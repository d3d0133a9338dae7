// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

namespace sandgate::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kListenForm = "write it as 127.0.0.1:3000, [::1]:3000 or unix:/path/to.sock";

const sockaddr_in& as_ipv4(const Address& address) { return reinterpret_cast<const sockaddr_in&>(address.storage); }
const sockaddr_in6& as_ipv6(const Address& address) { return reinterpret_cast<const sockaddr_in6&>(address.storage); }

bool is_ipv4_mapped(const Address& address) { return IN6_IS_ADDR_V4MAPPED(&as_ipv6(address).sin6_addr); }

Result<Address> unix_address(std::string_view path) {
  Address address;
  auto& un = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof(un.sun_path) || path.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid,
                fmt::format("a Unix socket's path has 1 to {} bytes and no NUL", sizeof(un.sun_path) - 1));
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

}  // namespace

bool Address::is_loopback() const {
  if (storage.ss_family == AF_UNIX) return true;
  if (storage.ss_family == AF_INET) return (ntohl(as_ipv4(*this).sin_addr.s_addr) >> 24) == 127;
  if (storage.ss_family != AF_INET6) return false;
  const in6_addr& ip = as_ipv6(*this).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr[12] == 127);
}

bool Address::is_any() const {
  if (storage.ss_family == AF_INET) return as_ipv4(*this).sin_addr.s_addr == INADDR_ANY;
  return storage.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&as_ipv6(*this).sin6_addr);
}

std::string Address::host_text() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &as_ipv4(*this).sin_addr, text, sizeof(text));
  } else if (storage.ss_family == AF_INET6 && is_ipv4_mapped(*this)) {
    ::inet_ntop(AF_INET, &as_ipv6(*this).sin6_addr.s6_addr[12], text, sizeof(text));
  } else if (storage.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &as_ipv6(*this).sin6_addr, text, sizeof(text));
  } else {
    return "unix";
  }
  return text;
}

std::uint16_t Address::port() const {
  if (storage.ss_family == AF_INET) return ntohs(as_ipv4(*this).sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(as_ipv6(*this).sin6_port);
  return 0;
}

std::string Address::text() const {
  if (storage.ss_family == AF_UNIX)
    return fmt::format("unix:{}", reinterpret_cast<const sockaddr_un&>(storage).sun_path);
  std::string host = host_text();
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port())
                                             : fmt::format("[{}]:{}", host, port());
}

bool Address::operator==(const Address& other) const {
  return length == other.length && std::memcmp(&storage, &other.storage, length) == 0;
}

Result<std::vector<Address>> resolve_all(std::string_view host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int code = ::getaddrinfo(std::string(host).c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0)
    return fail(ErrorKind::kNotFound, fmt::format("no address for the name {}", host), ::gai_strerror(code));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  // A name such as localhost may have both: IPv4 is what most servers listen on.
  std::vector<Address> addresses;
  for (bool ipv4 : {true, false}) {
    for (const addrinfo* at = found; at != nullptr && addresses.size() < kAddressesMax; at = at->ai_next) {
      if ((at->ai_family == AF_INET) != ipv4 || at->ai_addrlen > sizeof(sockaddr_storage)) continue;
      if (!ipv4 && !addresses.empty() && addresses.front().storage.ss_family == AF_INET) break;
      Address address;
      std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
      address.length = at->ai_addrlen;
      if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
    }
  }
  if (addresses.empty()) return fail(ErrorKind::kNotFound, fmt::format("no address for the name {}", host));
  return addresses;
}

Result<Address> resolve(std::string_view host, std::uint16_t port) {
  Result<std::vector<Address>> addresses = resolve_all(host, port);
  if (!addresses) return fail(std::move(addresses.error()));
  return addresses->front();
}

Result<Address> parse_listen_address(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return unix_address(text.substr(kUnixPrefix.size()));
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return fail(ErrorKind::kInvalid, fmt::format("{} is no address: {}", text, kListenForm));
  std::string_view host = text.substr(0, colon);
  std::string_view port_text = text.substr(colon + 1);
  unsigned port = 0;
  auto [end, failure] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (failure != std::errc() || end != port_text.data() + port_text.size() || port > 65535) {
    return fail(ErrorKind::kInvalid, fmt::format("{} has no valid port (0 to 65535): {}", text, kListenForm));
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (bracketed != has_colon || host.find_first_of("[]") != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, fmt::format("{} is no address: {}", text, kListenForm));
  }
  return resolve(host, static_cast<std::uint16_t>(port));
}

}  // namespace sandgate::net
