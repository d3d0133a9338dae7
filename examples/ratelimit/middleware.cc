// SPDX-License-Identifier: Apache-2.0
//
// At most 60 requests in 60,000 ms for each client; the next are answered 429 until the window is over. A client is
// known by its API key, else by the first address of X-Forwarded-For, else by X-Real-IP, else by the request's id (and
// is then alone).
//
// The counts live in the store "ratelimit", which all instances, threads and modules share, so the limit holds for the
// whole gateway. Deploy with "allow": {"key_value": ["ratelimit"]} and, to change the numbers,
// "config": {"limit": "60", "window_ms": "60000"}.
#include <sandgate/host.h>
#include <sandgate/middleware.h>

using namespace sandgate::guest;

namespace {

constexpr std::uint64_t kLimit = 60;
constexpr std::uint64_t kWindowMs = 60'000;

std::optional<std::uint64_t> parse(std::string_view digits) {
  constexpr std::size_t kDigitsMax = 18;
  if (digits.empty() || digits.size() > kDigitsMax) return std::nullopt;
  std::uint64_t number = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return number;
}

// A setting that is no positive number leaves the default in force.
std::uint64_t number_setting(std::string_view name, std::uint64_t otherwise) {
  const auto text = setting(name);
  if (!text) return otherwise;
  const auto number = parse(*text);
  if (number && *number > 0) return *number;
  log(Level::warn, name, "the setting is not a positive number; the default is in force");
  return otherwise;
}

std::string_view api_key(const Request& request) {
  if (const auto authorization = request.header("authorization")) {
    for (const std::string_view scheme : {std::string_view("Bearer "), std::string_view("ApiKey ")}) {
      if (authorization->starts_with(scheme)) return authorization->substr(scheme.size());
    }
  }
  return request.header("x-api-key").value_or("");
}

struct Client {
  std::string_view kind;
  std::string_view name;
};

Client client_of(const Request& request) {
  if (const std::string_view key = api_key(request); !key.empty()) return {"key:", key};
  if (const auto forwarded = request.header("x-forwarded-for")) {
    const std::string_view first = forwarded->substr(0, forwarded->find(','));
    if (!first.empty()) return {"for:", first};
  }
  if (const auto address = request.header("x-real-ip")) return {"ip:", *address};
  return {"id:", request.request_id};
}

// FNV-1a: two of them with different starts make keys of fixed length, so that secrets are not kept as text and names
// of any length fit.
std::uint64_t hash(std::string_view kind, std::string_view name, std::uint64_t start) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t value = start;
  for (const std::string_view part : {kind, name}) {
    for (const char byte : part) value = (value ^ static_cast<unsigned char>(byte)) * kPrime;
  }
  return value;
}

// What a client's count is kept under in one window.
class Key {
 public:
  Key(const Client& client, std::uint64_t window) {
    append(hash(client.kind, client.name, 0xcbf29ce484222325));
    append(hash(client.kind, client.name, 0x84222325cbf29ce4));
    append(window);
  }
  std::string_view text() const { return {text_, sizeof text_}; }

 private:
  void append(std::uint64_t number) {
    for (int shift = 60; shift >= 0; shift -= 4) text_[size_++] = "0123456789abcdef"[(number >> shift) & 15];
  }
  char text_[48];
  std::size_t size_ = 0;
};

Action on_request(const Request& request) {
  const std::uint64_t window_ms = number_setting("window_ms", kWindowMs);
  const std::uint64_t window = request.now_epoch_ms / window_ms;
  const Client client = client_of(request);
  const auto store = Store::open("ratelimit");
  const auto count = store ? store->increment(Key(client, window).text()) : std::nullopt;
  // No count, no limit: the trap hands the decision to the module's failure policy.
  if (!count) __builtin_trap();
  // Whoever comes again leaves nothing behind; the store drops what nobody asks for.
  if (*count == 1) store->remove(Key(client, window - 1).text());
  if (*count > static_cast<std::int64_t>(number_setting("limit", kLimit))) return reject(429);
  return proceed();
}

}  // namespace

SANDGATE_ON_REQUEST(on_request)
