// SPDX-License-Identifier: Apache-2.0
//
// What an operator may say about an upstream: its servers, who gets which request, and what to do about sick ones. A
// plain value that configuration fills; an upstream whose options did not change survives a reload, with its
// connections and what it knows of its servers. Every default stands here with its reason. 0 means "no bound" only
// where it is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"

namespace sandgate::gateway {

enum class Scheme : unsigned char { kHttp, kHttps };

struct ServerOptions {
  // Enough to tell machines of one fleet apart; shares beyond 1:256 mean that something else is wrong.
  static constexpr unsigned kWeightMax = 256;

  Scheme scheme = Scheme::kHttp;
  std::string host;  // a name or an address; lower case; IPv6 without brackets
  std::uint16_t port = 80;
  unsigned weight = 1;

  std::string authority() const;  // "127.0.0.1:30000", "[::1]:30000"
  bool operator==(const ServerOptions&) const = default;
};

enum class Balance : unsigned char {
  kRoundRobin,      // in turn, by weight; costs nothing
  kLeastRequests,   // the server with the fewest open requests for its weight
  kTwoChoices,      // the less busy one of two drawn by weight: nearly as even, and cheaper with many servers
  kConsistentHash,  // the same key goes to the same server as long as that one is there
};

// What consistent hashing goes by. A request without the field or cookie takes its turn.
struct HashKey {
  enum class From : unsigned char { kClientAddress, kField, kCookie };
  From from = From::kClientAddress;
  std::string name;  // of the field or cookie
  bool operator==(const HashKey&) const = default;
};

// Asking each server whether it is well.
struct HealthCheckOptions {
  std::string path = "/health";
  std::string host;  // the Host field; empty: the server's authority
  Milliseconds interval{5'000};
  Milliseconds timeout{2'000};  // for the whole probe: a server that needs longer for this is not well
  unsigned fails = 3;           // failed probes in a row until no more requests: one lost packet is no illness
  unsigned passes = 2;          // passed ones in a row until requests come again: one may be luck
  int status_min = 200;
  int status_max = 399;
  bool operator==(const HealthCheckOptions&) const = default;
};

// Watching how real requests fare. A server that cannot be reached is left alone at once, because the request goes to
// another one unharmed; one that answers badly only after several failures in a row.
struct EjectionOptions {
  // In a row: no answer, no HTTP, a broken or late one; what statuses say does not count. 0: off.
  unsigned failures = 5;
  // Long enough to spare a restarting server a stampede, short enough that nobody waits for it once it is back. Doubles
  // each time the trial request fails too.
  Milliseconds time{2'000};
  Milliseconds time_max{30'000};
  // Of the servers, how many may be out for bad answers: when more are sick it is no longer the servers, and the rest
  // could not carry the load.
  unsigned percent_max = 50;
  bool operator==(const EjectionOptions&) const = default;
};

struct UpstreamTimeouts {
  Milliseconds connect{5'000};
  Milliseconds first_byte{120'000};  // from the end of the request to the response head: workers think long
  Milliseconds idle{120'000};        // silence within a body
  Milliseconds write{60'000};        // no progress while sending
  Milliseconds total{0};             // the whole exchange, waiting and retries included. 0: none, because streams last
  bool operator==(const UpstreamTimeouts&) const = default;
};

// Another server is asked when the first could not be reached, and, if the method is idempotent and there is no body,
// when it closed before a byte of the answer. Each server at most once.
struct RetryOptions {
  // In all, the first one included: survives that two servers of a fleet restart at the same time; more multiplies the
  // load of a fleet that is sick as a whole. 1: no retries.
  unsigned attempts = 3;
  // Retries as a share of requests, and what is allowed beside it when there is little traffic: a fleet that fails gets
  // a fifth more load and not twice as much.
  unsigned budget_percent = 20;
  unsigned budget_per_s = 10;
  // The second retry and later ones wait a random time between 0 and base, 2 x base, ... up to the maximum, so that
  // requests that failed together do not come back together. The first goes out at once: its server did nothing wrong.
  Milliseconds backoff_base{25};
  Milliseconds backoff_max{250};
  bool operator==(const RetryOptions&) const = default;
};

struct ConnectionOptions {
  // To one server, over all loops, kept ones included. Beyond it requests wait: a server with thousands of open
  // requests is better off with some of them here. 0: no bound.
  std::size_t connections_max = 4096;
  std::size_t idle_max = 256;  // kept per loop and server
  Milliseconds idle{60'000};   // a kept connection is closed after this long unused
  // Requests that wait for a connection, over all loops; the next one gets 503 with Retry-After at once. A quarter of
  // the connections: whoever is last still has a chance within the wait.
  std::size_t waiting_max = 1024;
  Milliseconds waiting{5'000};  // then 503 with Retry-After: clients give up at about ten seconds
  bool operator==(const ConnectionOptions&) const = default;
};

struct UpstreamTlsOptions {
  enum class Verify : bool { kOff, kOn };
  Verify verify = Verify::kOn;
  std::string ca_file;      // PEM; empty: the system's authorities
  std::string server_name;  // asked for and verified; empty: the server's host
  bool operator==(const UpstreamTlsOptions&) const = default;
};

struct UpstreamOptions {
  // An exchange remembers in one word which servers it has been to.
  static constexpr std::size_t kServersMax = 64;

  std::string name;
  std::vector<ServerOptions> servers;
  Balance balance = Balance::kRoundRobin;
  HashKey hash_key;  // for kConsistentHash
  std::optional<HealthCheckOptions> health_check;
  EjectionOptions ejection;
  UpstreamTimeouts timeouts;
  RetryOptions retries;
  ConnectionOptions connections;
  // A server that comes back gets a growing share of its weight for this long (caches, compilers). 0: its whole share
  // at once. Consistent hashing knows no slow start: a key has one server.
  Milliseconds slow_start{0};
  // How often names are looked up again; addresses need no look-up. 0: never.
  Milliseconds resolve{30'000};
  UpstreamTlsOptions tls;

  bool operator==(const UpstreamOptions&) const = default;
};

// kInvalid with every mistake in one text, "; " between them.
Status check_upstream_options(const UpstreamOptions& options);

}  // namespace sandgate::gateway
