// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"
#include "http/framing.h"
#include "http/head_block.h"
#include "http/head_parser.h"

namespace sandgate::http {
namespace {

constexpr int kBadGateway = 502;

using MaybeRefusal = std::optional<Refusal>;

MaybeRefusal read_status_line(std::string_view line, ResponseHead& head) {
  constexpr Refusal kMalformed = {kBadGateway, "the status line is malformed; send `HTTP/1.1 STATUS REASON`"};
  if (MaybeRefusal refusal = read_version(line.substr(0, 8), head.minor_version)) return refusal;
  // "HTTP/1.1 200": the space and the reason may be missing, as some servers leave both out.
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) return kMalformed;
  if (!ascii_digit(line[9]) || !ascii_digit(line[10]) || !ascii_digit(line[11])) return kMalformed;
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head.status < 100 || head.status > 599)
    return Refusal{kBadGateway, "the status is out of range; send 100 to 599"};
  return std::nullopt;
}

// RFC 9112 section 6.3, in its order.
MaybeRefusal read_response_framing(const ResponseHead& head, std::string_view request_method, BodyFraming& framing) {
  const HeadFacts facts = HeadFacts::gather(head.fields);
  framing = {};
  if (request_method == "CONNECT" && head.status >= 200 && head.status <= 299) return std::nullopt;
  if (MaybeRefusal refusal = read_framing(facts, head.minor_version, framing)) return refusal;
  const bool describes_another = request_method == "HEAD" || head.status == 304;
  if (status_forbids_body(head.status) && !describes_another) {
    // A server that announces a body here may well send one, and it would be read as the next response.
    if (framing.kind == BodyFraming::Kind::kChunked || framing.length != 0) {
      return Refusal{kBadGateway,
                     "a response without a body announces one; leave out Content-Length and Transfer-Encoding"};
    }
  }
  if (describes_another || status_forbids_body(head.status)) {
    framing = {};
  } else if (framing.kind == BodyFraming::Kind::kNone) {
    framing.kind = BodyFraming::Kind::kUntilClose;
  }
  return std::nullopt;
}

MaybeRefusal read_response(std::string_view buffer, const HeadSearch& search, std::string_view request_method,
                           ResponseHead& head, BodyFraming& framing) {
  std::string_view line;
  MaybeRefusal wrong_field = read_head_block(buffer, search, head.fields, line);
  if (MaybeRefusal refusal = read_status_line(line, head)) return refusal;
  if (wrong_field) return wrong_field;
  return read_response_framing(head, request_method, framing);
}

HeadResult refused(Refusal refusal) { return {HeadResult::Kind::kRefused, 0, {kBadGateway, refusal.reason}}; }

}  // namespace

HeadResult ResponseParser::parse(std::string_view buffer, std::string_view request_method, ResponseHead& head,
                                 BodyFraming& framing) {
  const HeadSearch::Outcome outcome = search_.search(buffer, limits_, HeadSearch::LeadingEmptyLine::kRefused);
  if (outcome == HeadSearch::Outcome::kNeedMore) return {};
  if (outcome == HeadSearch::Outcome::kStartLineTooLong)
    return refused({kBadGateway, "the status line is too long; send a shorter reason"});
  if (outcome != HeadSearch::Outcome::kFound) return refused(refusal_of(outcome));
  if (MaybeRefusal refusal = read_response(buffer, search_, request_method, head, framing)) return refused(*refusal);
  const std::size_t consumed = search_.end();
  search_.reset();
  return {HeadResult::Kind::kDone, consumed, {}};
}

}  // namespace sandgate::http
