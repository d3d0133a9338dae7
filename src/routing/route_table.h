// SPDX-License-Identifier: Apache-2.0
//
// Finds the route of a request: a tree of path segments for each host, compiled once. The most specific route that
// fits wins, wherever it stands in the list: an exact host before "*.host" (the longer first) before any; then segment
// by segment a literal before a parameter before the rest; then more conditions on fields before fewer, and routes with
// methods before those without. A route that is more specific but does not fit (its method, its fields) hands on to the
// next one. The cost depends on the depth of the path, not on the number of routes. Immutable, shared by all threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "routing/route_rule.h"

namespace sandgate::routing {

// Text captured from a path; views into the request's path.
struct Captures {
  std::array<std::string_view, PathPattern::kCapturesMax> values;
  std::size_t count = 0;
};

class RouteTable {
 public:
  // Bounds what one configuration may be; the cost of a request does not grow with it.
  static constexpr std::size_t kRoutesMax = 10'000;

  // Two routes of which neither is more specific than the other; the later one is `second`.
  struct Conflict {
    std::size_t first = 0;
    std::size_t second = 0;
  };
  static std::vector<Conflict> conflicts(const std::vector<RouteRule>& rules);

  // `rules` without conflicts, at most kRoutesMax; a route is its index there.
  explicit RouteTable(std::vector<RouteRule> rules);
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;
  ~RouteTable();

  const std::vector<RouteRule>& rules() const { return rules_; }

  enum class Outcome : unsigned char {
    kFound,
    kNoRoute,   // 404
    kNoMethod,  // 405: path and fields fit a route, the method none
  };
  struct Match {
    Outcome outcome = Outcome::kNoRoute;
    std::size_t route = 0;
    Captures captures;  // in the order of the pattern's names
  };
  // `request` has a path in normal form.
  Match find(const http::RequestHead& request) const;
  // The methods of routes that fit the request but for its method, for Allow: "GET, HEAD, POST".
  std::string allowed_methods(const http::RequestHead& request) const;

  // Why a route whose host and path fit does or does not serve a request.
  enum class Verdict : unsigned char { kServes, kWouldServe, kOtherMethod, kOtherFields };
  struct Candidate {
    std::size_t route = 0;
    Verdict verdict = Verdict::kServes;
  };
  // Every route whose host and path fit, the most specific first. For people, not for the request path.
  std::vector<Candidate> candidates(const http::RequestHead& request) const;

 private:
  struct Tree;
  template <typename Visit>
  void walk(const http::RequestHead& request, Visit&& visit) const;
  Tree& tree_of(const HostPattern& host);

  std::vector<RouteRule> rules_;
  std::vector<std::pair<std::string, std::unique_ptr<Tree>>> exact_;  // by host, sorted
  std::vector<std::pair<std::string, std::unique_ptr<Tree>>> below_;  // by suffix, the longest first
  std::unique_ptr<Tree> any_;
};

}  // namespace sandgate::routing
