// SPDX-License-Identifier: Apache-2.0
//
// A stream of requests, read by our codec and by Boost.Beast's. What we accept, Beast must accept with the same method,
// target, version, fields, framing, content and end, or a smuggler could stand between two servers of which we are one.
// What we refuse is not compared: we are the stricter one by intention (Beast takes obsolete line folding, lists of
// Content-Length, unknown codings as "no body", any Host). Where Beast is the stricter one, is_known_refusal says so.

// fuzz-links: boost_headers

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/check.h"
#include "http/body_decoder.h"
#include "http/field.h"
#include "http/head_parser.h"

namespace {

namespace beast = boost::beast;

using namespace sandgate;
using http::BodyDecoder;
using http::BodyFraming;
using FieldList = std::vector<std::pair<std::string, std::string>>;

// Beast's parser, which tells what it reads in the order it reads it.
class SecondOpinion final : public beast::http::basic_parser<true> {
 public:
  SecondOpinion() {
    eager(true);
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
  }

  std::string method;
  std::string target;
  int version = 0;
  FieldList fields;
  bool has_head = false;
  std::string content;
  bool has_last_chunk = false;
  FieldList trailers;

 private:
  using Error = beast::error_code;
  using View = beast::string_view;

  void on_request_impl(beast::http::verb, View name, View request_target, int number, Error&) override {
    method = name;
    target = request_target;
    version = number;
  }
  void on_response_impl(int, View, int, Error&) override { SANDGATE_CHECK(false); }
  void on_field_impl(beast::http::field, View name, View value, Error&) override {
    (has_head ? trailers : fields).emplace_back(name, value);
  }
  void on_header_impl(Error&) override { has_head = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(View piece, Error&) override { return add(piece); }
  void on_chunk_header_impl(std::uint64_t size, View, Error&) override { has_last_chunk = size == 0; }
  std::size_t on_chunk_body_impl(std::uint64_t, View piece, Error&) override { return add(piece); }
  void on_finish_impl(Error&) override {}

  std::size_t add(View piece) {
    content += piece;
    return piece.size();
  }
};

// A body as our decoder reads it.
struct Body {
  BodyDecoder::Step::Kind end = BodyDecoder::Step::Kind::kNeedMore;
  std::size_t consumed = 0;
  std::string content;
};

Body read_body(BodyDecoder& decoder, std::string_view bytes) {
  Body body;
  while (true) {
    const BodyDecoder::Step step = decoder.decode(bytes.substr(body.consumed));
    body.consumed += step.consumed;
    body.content += step.data;
    body.end = step.kind;
    if (step.kind != BodyDecoder::Step::Kind::kData) return body;
  }
}

bool names_connection_options(std::string_view name) {
  return equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "proxy-connection");
}

bool has_odd_option(std::string_view name, std::string_view value) {
  bool odd = false;
  if (!names_connection_options(name)) return odd;
  for_each_list_element(value, [&odd](std::string_view option) { odd |= !http::is_token(option); });
  return odd;
}

// Where Beast refuses what we take, and why we do.
bool is_known_refusal(const beast::error_code& error, const SecondOpinion& second, const http::RequestHead& head,
                      std::string_view bytes) {
  using beast::http::error;
  // HTTP/1.2 to 1.9 are served as 1.1: RFC 9110 section 2.5 has a recipient treat a higher minor version so.
  if (error == error::bad_version) {
    const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
    return line[line.size() - 2] == '.' && line.back() >= '2' && line.back() <= '9';
  }
  // Connection and its kin are read for the options we know and never passed on; an element that is no token names
  // nothing.
  if (error == error::bad_value) {
    for (const http::Field& field : head.fields) {
      if (has_odd_option(field.name, field.value)) return true;
    }
    return second.has_last_chunk;
  }
  // Chunk extensions are dropped unread, up to a limit: their grammar decides nothing, only the end of their line does.
  if (error == error::bad_chunk_extension) return bytes.find(';') != std::string_view::npos;
  // Fields that frame a message are dropped from trailers, where they decide nothing (RFC 9110 section 6.5.1).
  const bool is_about_framing = error == error::bad_content_length || error == error::multiple_content_length ||
                                error == error::bad_transfer_encoding;
  return is_about_framing && second.has_last_chunk;
}

void check_target(const http::RequestHead& head, std::string_view target) {
  std::string path_and_query(head.path);
  if (head.has_query) path_and_query.append("?").append(head.query);
  if (head.is_connect()) {
    SANDGATE_CHECK(target == head.authority);
  } else if (target.starts_with('/') || target == "*") {
    SANDGATE_CHECK(target == path_and_query);
  } else {
    // Absolute. An empty path was written out as "/", or "*".
    SANDGATE_CHECK(equals_ignoring_case(target.substr(0, head.scheme.size()), head.scheme));
    target.remove_prefix(head.scheme.size());
    SANDGATE_CHECK(target.starts_with("://"));
    target.remove_prefix(3);
    SANDGATE_CHECK(target.starts_with(head.authority));
    target.remove_prefix(head.authority.size());
    if (target.empty() || target.front() == '?') path_and_query.erase(0, 1);
    SANDGATE_CHECK(target == path_and_query);
  }
}

void check_head(const http::RequestHead& head, const SecondOpinion& second) {
  SANDGATE_CHECK(second.method == head.method);
  SANDGATE_CHECK(second.version == 10 + head.minor_version);
  check_target(head, second.target);
  SANDGATE_CHECK(second.fields.size() == head.fields.size());
  const bool target_has_authority = !second.target.starts_with('/') && second.target != "*";
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const auto& [name, value] = second.fields[i];
    const http::Field& ours = head.fields[i];
    // The authority of an absolute target stands in for Host (RFC 9112 section 3.2.2), in a line of our spelling.
    const bool is_replaced = target_has_authority && ours.id == http::FieldId::kHost && ours.name == "Host" &&
                             ours.value == head.authority && equals_ignoring_case(name, "host");
    SANDGATE_CHECK(is_replaced || (name == ours.name && value == ours.value));
  }
}

void check_framing(BodyFraming framing, const SecondOpinion& second) {
  SANDGATE_CHECK(second.chunked() == (framing.kind == BodyFraming::Kind::kChunked));
  const boost::optional<std::uint64_t> length = second.content_length();
  SANDGATE_CHECK(length.has_value() == (framing.kind == BodyFraming::Kind::kLength));
  if (length) SANDGATE_CHECK(*length == framing.length);
}

// Ours are what is left of Beast's.
void check_trailers(const http::Fields* ours, const SecondOpinion& second) {
  if (ours == nullptr) return;
  std::size_t next = 0;
  for (const auto& [name, value] : second.trailers) {
    if (next < ours->size() && name == (*ours)[next].name && value == (*ours)[next].value) ++next;
  }
  SANDGATE_CHECK(next == ours->size());
}

// Returns the bytes of the first request; 0 when nothing after it can be compared.
std::size_t compare_one(std::string_view bytes) {
  Arena arena;
  http::RequestHead head(arena);
  BodyFraming framing;
  const http::HeadResult result = http::RequestParser().parse(bytes, head, framing);
  if (result.kind != http::HeadResult::Kind::kDone) return 0;
  BodyDecoder decoder(framing, arena);
  const Body body = read_body(decoder, bytes.substr(result.consumed));
  const std::size_t end = result.consumed + body.consumed;

  // Beast skips no empty line before a request; RFC 9112 section 2.2 asks for it.
  const std::size_t skipped = bytes.starts_with("\r\n") ? 2 : 0;
  bytes.remove_prefix(skipped);
  SecondOpinion second;
  beast::error_code error;
  const std::size_t second_end = skipped + second.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  // Until the head is complete nothing of the body can have gone wrong.
  if (error && error != beast::http::error::need_more && !second.has_head) {
    SANDGATE_CHECK(is_known_refusal(error, second, head, bytes));
    return 0;
  }
  SANDGATE_CHECK(second.has_head);
  check_head(head, second);
  check_framing(framing, second);

  if (body.end == BodyDecoder::Step::Kind::kBroken) return 0;
  if (error && error != beast::http::error::need_more) {
    SANDGATE_CHECK(is_known_refusal(error, second, head, bytes));
    return 0;
  }
  if (body.end == BodyDecoder::Step::Kind::kEnd) {
    if (!second.is_done() && framing.kind == BodyFraming::Kind::kChunked) {
      // It waits for the end of a quoted string in an extension; see is_known_refusal.
      SANDGATE_CHECK(bytes.find('"') != std::string_view::npos);
      return 0;
    }
    SANDGATE_CHECK(second.is_done() && second_end == end);
    SANDGATE_CHECK(second.content == body.content);
    check_trailers(decoder.trailers(), second);
    return head.is_connect() ? 0 : end;
  }
  SANDGATE_CHECK(!second.is_done());
  SANDGATE_CHECK(body.content.starts_with(second.content));
  return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  while (!bytes.empty()) {
    const std::size_t end = compare_one(bytes);
    if (end == 0) break;
    bytes.remove_prefix(end);
  }
  return 0;
}
