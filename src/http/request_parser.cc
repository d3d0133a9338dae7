// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"
#include "http/byte_class.h"
#include "http/framing.h"
#include "http/head_block.h"
#include "http/head_parser.h"
#include "http/target.h"

namespace sandgate::http {
namespace {

using MaybeRefusal = std::optional<Refusal>;

constexpr Refusal kMalformedLine = {400,
                                    "the request line is malformed; send `METHOD TARGET HTTP/1.1` with single spaces"};

void set_path_and_query(RequestHead& head, std::string_view target) {
  const std::size_t mark = target.find('?');
  head.path = target.substr(0, mark);
  head.has_query = mark != std::string_view::npos;
  head.query = head.has_query ? target.substr(mark + 1) : std::string_view();
}

// RFC 9112 section 3.2.2. Sets scheme and authority.
MaybeRefusal read_absolute_form(std::string_view target, RequestHead& head) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return Refusal{400, "the target is in no known form; begin it with `/`"};
  if (equals_ignoring_case(target.substr(0, colon), "http")) {
    head.scheme = "http";
  } else if (equals_ignoring_case(target.substr(0, colon), "https")) {
    head.scheme = "https";
  } else {
    return Refusal{400, "the target's scheme is not served; use http or https"};
  }
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t authority_bytes = std::min(rest.find_first_of("/?"), rest.size());
  head.authority = rest.substr(0, authority_bytes);
  if (!parse_authority(head.authority))
    return Refusal{400, "the target's authority is not valid; send `host` or `host:port`"};
  set_path_and_query(head, rest.substr(authority_bytes));
  // An empty path stands for the root, or for the server as a whole (RFC 9112 section 3.2.4).
  if (head.path.empty()) head.path = head.method == "OPTIONS" && !head.has_query ? "*" : "/";
  return std::nullopt;
}

MaybeRefusal read_target(std::string_view target, RequestHead& head) {
  head.authority = {};
  head.query = {};
  head.has_query = false;
  if (head.is_connect()) {
    const std::optional<Authority> authority = parse_authority(target);
    if (!authority || authority->port.empty())
      return Refusal{400, "the target of CONNECT is not an authority; send `host:port`"};
    head.authority = target;
    head.path = {};
    return std::nullopt;
  }
  if (target.front() == '/') {
    set_path_and_query(head, target);
    return std::nullopt;
  }
  if (target == "*") {
    head.path = target;
    if (head.method == "OPTIONS") return std::nullopt;
    return Refusal{400, "the target `*` is for OPTIONS only; begin it with `/`"};
  }
  return read_absolute_form(target, head);
}

MaybeRefusal read_request_line(std::string_view line, RequestHead& head) {
  std::size_t at = 0;
  while (at < line.size() && is_byte(line[at], kTokenByte)) ++at;
  if (at == 0 || at == line.size() || line[at] != ' ') return kMalformedLine;
  head.method = line.substr(0, at);
  const std::size_t target_begin = ++at;
  while (at < line.size() && is_byte(line[at], kTargetByte)) ++at;
  if (at == target_begin || at == line.size()) return kMalformedLine;
  if (line[at] == '#') return Refusal{400, "the target has a fragment; leave out `#` and what follows"};
  if (line[at] != ' ') return Refusal{400, "the target has a byte that is not allowed there; percent-encode it"};
  const std::string_view target = line.substr(target_begin, at - target_begin);
  if (MaybeRefusal refusal = read_version(line.substr(at + 1), head.minor_version)) return refusal;
  if (head.method.size() > kMethodBytesMax) return Refusal{501, "the method is too long; send a registered one"};
  return read_target(target, head);
}

// RFC 9112 section 3.2: Host is checked even where the target overrules it.
MaybeRefusal read_host(const HeadFacts& facts, RequestHead& head) {
  if (facts.hosts == 0) {
    if (head.minor_version == 0) return std::nullopt;
    return Refusal{400, "the Host field is missing; send it once"};
  }
  if (facts.hosts > 1) return Refusal{400, "Host appears more than once; send it once"};
  if (!parse_authority(facts.host)) return Refusal{400, "the Host field is not valid; send `host` or `host:port`"};
  if (head.authority.empty()) {
    head.authority = facts.host;
  } else if (head.authority != facts.host) {
    head.fields.set("Host", head.authority);
  }
  return std::nullopt;
}

MaybeRefusal read_request(std::string_view buffer, const HeadSearch& search, RequestHead& head, BodyFraming& framing) {
  std::string_view line;
  MaybeRefusal wrong_field = read_head_block(buffer, search, head.fields, line);
  if (MaybeRefusal refusal = read_request_line(line, head)) return refusal;
  if (wrong_field) return wrong_field;
  const HeadFacts facts = HeadFacts::gather(head.fields);
  if (MaybeRefusal refusal = read_host(facts, head)) return refusal;
  if (MaybeRefusal refusal = read_framing(facts, head.minor_version, framing)) return refusal;
  if (head.is_connect() && (framing.kind == BodyFraming::Kind::kChunked || framing.length != 0)) {
    return Refusal{400, "CONNECT has no body; leave out Content-Length and Transfer-Encoding"};
  }
  return std::nullopt;
}

}  // namespace

HeadResult RequestParser::parse(std::string_view buffer, RequestHead& head, BodyFraming& framing) {
  const HeadSearch::Outcome outcome = search_.search(buffer, limits_, HeadSearch::LeadingEmptyLine::kSkipped);
  if (outcome == HeadSearch::Outcome::kNeedMore) return {};
  if (outcome != HeadSearch::Outcome::kFound) return {HeadResult::Kind::kRefused, 0, refusal_of(outcome)};
  if (MaybeRefusal refusal = read_request(buffer, search_, head, framing))
    return {HeadResult::Kind::kRefused, 0, *refusal};
  const std::size_t consumed = search_.end();
  search_.reset();
  return {HeadResult::Kind::kDone, consumed, {}};
}

}  // namespace sandgate::http
