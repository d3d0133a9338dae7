// SPDX-License-Identifier: Apache-2.0
#include "routing/route_table.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/check.h"

namespace sandgate::routing {
namespace {

using Kind = PathSegment::Kind;

bool more_specific(const RouteRule& a, const RouteRule& b) {
  return std::tuple(a.fields.size(), !a.methods.empty()) > std::tuple(b.fields.size(), !b.methods.empty());
}

// Two routes with the same key match the same hosts and paths.
std::string shape_key(const RouteRule& rule) {
  std::string key = rule.host.text();
  for (const PathSegment& segment : rule.path.segments()) {
    key += '/';
    switch (segment.kind) {
      case Kind::kLiteral: key += segment.text; break;
      case Kind::kParameter: key += ':'; break;
      case Kind::kRest: key += '*'; break;
    }
  }
  return key;
}

}  // namespace

// Nodes refer to each other by index. A node stands for the segments on the way to it.
struct RouteTable::Tree {
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Node {
    std::vector<std::pair<std::string, std::uint32_t>> literals;  // sorted
    std::uint32_t parameter = kNone;
    std::vector<std::uint32_t> ending;  // routes whose path ends here, the most specific first
    std::vector<std::uint32_t> rest;    // routes that take all that follows
  };

  std::uint32_t add_node() {
    nodes.emplace_back();
    return static_cast<std::uint32_t>(nodes.size() - 1);
  }

  std::uint32_t literal_child(std::uint32_t node, const std::string& text) {
    auto at = std::ranges::lower_bound(nodes[node].literals, text, {}, &std::pair<std::string, std::uint32_t>::first);
    if (at != nodes[node].literals.end() && at->first == text) return at->second;
    auto place = at - nodes[node].literals.begin();
    std::uint32_t child = add_node();
    nodes[node].literals.emplace(nodes[node].literals.begin() + place, text, child);
    return child;
  }

  std::uint32_t parameter_child(std::uint32_t node) {
    if (nodes[node].parameter == kNone) {
      std::uint32_t child = add_node();
      nodes[node].parameter = child;
    }
    return nodes[node].parameter;
  }

  void add(const std::vector<RouteRule>& rules, std::uint32_t route) {
    std::uint32_t node = 0;
    for (const PathSegment& segment : rules[route].path.segments()) {
      if (segment.kind == Kind::kRest) return insert(rules, nodes[node].rest, route);
      node = segment.kind == Kind::kLiteral ? literal_child(node, segment.text) : parameter_child(node);
    }
    insert(rules, nodes[node].ending, route);
  }

  static void insert(const std::vector<RouteRule>& rules, std::vector<std::uint32_t>& routes, std::uint32_t route) {
    auto place = std::ranges::find_if(
        routes, [&rules, route](std::uint32_t other) { return more_specific(rules[route], rules[other]); });
    routes.insert(place, route);
  }

  // Calls `visit(route, captures)` for each route whose path fits, the most specific first, until one returns true.
  template <typename Visit>
  bool walk(std::string_view path, Visit& visit) const {
    Captures captures;
    return walk(nodes[0], path.substr(1), true, captures, visit);
  }

  // `left` is what follows the last slash, if there was one. Goes as deep as the patterns are long.
  template <typename Visit>
  bool walk(const Node& node, std::string_view left, bool more, Captures& captures, Visit& visit) const {
    if (!more) {
      return std::ranges::any_of(node.ending, [&](std::uint32_t route) { return visit(route, captures); });
    }
    std::size_t slash = left.find('/');
    bool more_follow = slash != std::string_view::npos;
    std::string_view segment = left.substr(0, slash);
    std::string_view following = more_follow ? left.substr(slash + 1) : std::string_view();
    auto literal = std::ranges::lower_bound(node.literals, segment, {},
                                            [](const auto& entry) -> std::string_view { return entry.first; });
    if (literal != node.literals.end() && literal->first == segment &&
        walk(nodes[literal->second], following, more_follow, captures, visit)) {
      return true;
    }
    if (node.parameter != kNone && !segment.empty()) {
      captures.values[captures.count++] = segment;
      if (walk(nodes[node.parameter], following, more_follow, captures, visit)) return true;
      --captures.count;
    }
    if (node.rest.empty()) return false;
    captures.values[captures.count++] = left;
    bool taken = std::ranges::any_of(node.rest, [&](std::uint32_t route) { return visit(route, captures); });
    if (!taken) --captures.count;
    return taken;
  }

  std::vector<Node> nodes{1};
};

std::vector<RouteTable::Conflict> RouteTable::conflicts(const std::vector<RouteRule>& rules) {
  std::map<std::string, std::vector<std::size_t>> by_shape;
  std::vector<Conflict> found;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    std::vector<std::size_t>& others = by_shape[shape_key(rules[i])];
    for (std::size_t other : others) {
      if (conflict(rules[other], rules[i])) found.push_back({other, i});
    }
    others.push_back(i);
  }
  return found;
}

RouteTable::RouteTable(std::vector<RouteRule> rules) : rules_(std::move(rules)), any_(std::make_unique<Tree>()) {
  SANDGATE_CHECK(rules_.size() <= kRoutesMax);
  for (std::size_t i = 0; i < rules_.size(); ++i) tree_of(rules_[i].host).add(rules_, static_cast<std::uint32_t>(i));
  std::ranges::sort(exact_, {}, [](const auto& entry) -> const std::string& { return entry.first; });
  std::ranges::sort(below_, std::greater(), [](const auto& entry) { return entry.first.size(); });
}

RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;
RouteTable::~RouteTable() = default;

RouteTable::Tree& RouteTable::tree_of(const HostPattern& host) {
  if (host.kind() == HostPattern::Kind::kAny) return *any_;
  auto& trees = host.kind() == HostPattern::Kind::kExact ? exact_ : below_;
  for (auto& [name, tree] : trees) {
    if (name == host.name()) return *tree;
  }
  return *trees.emplace_back(host.name(), std::make_unique<Tree>()).second;
}

template <typename Visit>
void RouteTable::walk(const http::RequestHead& request, Visit&& visit) const {
  if (!request.path.starts_with('/')) return;
  if (!exact_.empty() || !below_.empty()) {
    std::string room;
    std::string_view host = host_of(request.authority, room);
    auto exact =
        std::ranges::lower_bound(exact_, host, {}, [](const auto& entry) -> std::string_view { return entry.first; });
    if (exact != exact_.end() && exact->first == host && exact->second->walk(request.path, visit)) return;
    for (const auto& [suffix, tree] : below_) {
      if (host.size() > suffix.size() && host.ends_with(suffix) && tree->walk(request.path, visit)) return;
    }
  }
  any_->walk(request.path, visit);
}

RouteTable::Match RouteTable::find(const http::RequestHead& request) const {
  Match match;
  walk(request, [&](std::uint32_t route, const Captures& captures) {
    const RouteRule& rule = rules_[route];
    if (!rule.takes_fields(request.fields)) return false;
    if (!rule.takes_method(request.method)) {
      match.outcome = Outcome::kNoMethod;
      return false;
    }
    match = {Outcome::kFound, route, captures};
    return true;
  });
  return match;
}

std::string RouteTable::allowed_methods(const http::RequestHead& request) const {
  std::vector<std::string_view> methods;
  auto add = [&methods](std::string_view method) {
    if (std::ranges::find(methods, method) == methods.end()) methods.push_back(method);
  };
  walk(request, [&](std::uint32_t route, const Captures&) {
    if (!rules_[route].takes_fields(request.fields)) return false;
    for (const std::string& method : rules_[route].methods) {
      add(method);
      if (method == "GET") add("HEAD");
    }
    return false;
  });
  std::string text;
  for (std::string_view method : methods) text.append(text.empty() ? "" : ", ").append(method);
  return text;
}

std::vector<RouteTable::Candidate> RouteTable::candidates(const http::RequestHead& request) const {
  std::vector<Candidate> all;
  bool served = false;
  walk(request, [&](std::uint32_t route, const Captures&) {
    Verdict verdict = Verdict::kServes;
    if (!rules_[route].takes_fields(request.fields)) {
      verdict = Verdict::kOtherFields;
    } else if (!rules_[route].takes_method(request.method)) {
      verdict = Verdict::kOtherMethod;
    } else if (served) {
      verdict = Verdict::kWouldServe;
    }
    served = served || verdict == Verdict::kServes;
    all.push_back({route, verdict});
    return false;
  });
  return all;
}

}  // namespace sandgate::routing
