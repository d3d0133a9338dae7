// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/state_options.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "capability/key_value/decimal.h"

namespace sandgate::capability {
namespace {

constexpr std::string_view kForms =
    "write \"memory:\", \"sqlite:PATH\" or \"redis://USER:PASSWORD@HOST:PORT/DATABASE\" (user, password, port and "
    "database may be left out; rediss:// with TLS)";
// Redis has 16 of them unless its configuration says otherwise.
constexpr unsigned kDatabasesMax = 10'000;

std::optional<unsigned char> hex(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned char>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned char>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned char>(digit - 'A' + 10);
  return std::nullopt;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    std::optional<unsigned char> high = hex(text[i + 1]);
    std::optional<unsigned char> low = hex(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

// "USER:PASSWORD" or, as Redis's own tools take it, ":PASSWORD".
bool read_user(std::string_view text, StateUrl& url) {
  std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  std::optional<std::string> user = decoded(text.substr(0, colon));
  std::optional<std::string> password = decoded(text.substr(colon + 1));
  if (!user || !password || password->empty()) return false;
  url.user = std::move(*user);
  url.password = std::move(*password);
  return true;
}

bool read_host(std::string_view text, StateUrl& url) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    url.host = text.substr(1, bracket - 1);
    end = bracket + 1 < text.size() ? bracket + 1 : std::string_view::npos;
    if (end != std::string_view::npos && text[end] != ':') return false;
  } else {
    url.host = text.substr(0, end);
  }
  if (end != std::string_view::npos) {
    std::optional<std::uint16_t> port = parse_decimal<std::uint16_t>(text.substr(end + 1));
    if (!port || *port == 0) return false;
    url.port = *port;
  }
  return !url.host.empty();
}

Result<StateUrl> parse_redis(StateUrl::Transport transport, std::string_view text) {
  StateUrl url;
  url.kind = StateUrl::Kind::kRedis;
  url.transport = transport;
  if (std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (!read_user(text.substr(0, at), url))
      return fail(ErrorKind::kInvalid,
                  fmt::format("what stands before the @ is not USER:PASSWORD or :PASSWORD; {}", kForms));
    text.remove_prefix(at + 1);
  }
  if (std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    std::string_view number = text.substr(slash + 1);
    std::optional<unsigned> database = number.empty() ? 0 : parse_decimal<unsigned>(number);
    if (!database || *database > kDatabasesMax)
      return fail(ErrorKind::kInvalid, fmt::format("what follows the host is no number of a database; {}", kForms));
    url.database = *database;
    text = text.substr(0, slash);
  }
  if (!read_host(text, url))
    return fail(ErrorKind::kInvalid, fmt::format("there is no valid HOST or HOST:PORT; {}", kForms));
  return url;
}

}  // namespace

std::string StateUrl::text() const {
  switch (kind) {
    case Kind::kMemory: return "memory";
    case Kind::kSqlite: return "sqlite:" + path;
    case Kind::kRedis: break;
  }
  bool brackets = host.find(':') != std::string::npos;
  std::string_view scheme = transport == Transport::kTls ? "rediss" : "redis";
  return fmt::format("{}://{}{}{}:{}/{}", scheme, brackets ? "[" : "", host, brackets ? "]" : "", port, database);
}

Result<StateUrl> parse_state_url(std::string_view text) {
  StateUrl url;
  if (text == "memory:") return url;
  if (text.starts_with("sqlite:")) {
    url.kind = StateUrl::Kind::kSqlite;
    url.path = text.substr(7);
    if (url.path.empty() || url.path.find('\0') != std::string::npos)
      return fail(ErrorKind::kInvalid, "there is no path after sqlite:; write \"sqlite:state.db\"");
    return url;
  }
  if (text.starts_with("redis://")) return parse_redis(StateUrl::Transport::kPlain, text.substr(8));
  if (text.starts_with("rediss://")) return parse_redis(StateUrl::Transport::kTls, text.substr(9));
  return fail(ErrorKind::kInvalid, fmt::format("this is no place for state; {}", kForms));
}

}  // namespace sandgate::capability
