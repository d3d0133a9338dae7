// SPDX-License-Identifier: Apache-2.0
//
// What a guest may answer: the first byte is the kind, the next two the status, then lines: names and values that are
// set, an empty line, those that are added, an empty line, names that are removed, an empty line, a body. An action
// that is accepted leaves a request that our own strict parser reads as the same one, framed as before.

// fuzz-links: abi_router_middleware

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "abi/router_middleware/actions.h"
#include "abi/router_middleware/records.h"
#include "http/head_parser.h"
#include "http/head_writer.h"

namespace {

using namespace sandgate;
using namespace sandgate::abi::router_middleware;

sg_bytes bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  std::string_view next() {
    std::size_t end = text_.find('\n');
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    return line;
  }
  // Lines up to an empty one.
  std::vector<std::string_view> paragraph() {
    std::vector<std::string_view> lines;
    for (std::string_view line = next(); !line.empty(); line = next()) lines.push_back(line);
    return lines;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

std::vector<sg_header> pairs(const std::vector<std::string_view>& lines) {
  std::vector<sg_header> headers;
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2) headers.push_back({bytes_of(lines[i]), bytes_of(lines[i + 1])});
  return headers;
}

void check_request(const Action& action) {
  Arena arena;
  http::RequestHead head(arena);
  head.method = "POST";
  head.path = "/v1";
  head.authority = "example.com";
  head.fields.add("host", "example.com");
  head.fields.add("content-length", "3");
  head.fields.add("x-before", "1");
  apply_to_request(action, head, {});
  std::string written;
  const http::BodyFraming framing{http::BodyFraming::Kind::kLength, 3};
  http::write_request_head(written, head, framing, http::ConnectionOption::kImplied);
  constexpr http::HeadLimits kWide = {.start_line_bytes = 8192, .head_bytes = 1 << 20, .fields = 1000};
  http::RequestHead again(arena);
  http::BodyFraming framing_again;
  const http::HeadResult result = http::RequestParser(kWide).parse(written, again, framing_again);
  SANDGATE_CHECK(result.kind == http::HeadResult::Kind::kDone);
  SANDGATE_CHECK(result.consumed == written.size());
  SANDGATE_CHECK(framing_again == framing);
  SANDGATE_CHECK(again.method == "POST" && again.path == "/v1");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPrefix = 3;
  if (size < kPrefix) return 0;
  Lines lines({reinterpret_cast<const char*>(data) + kPrefix, size - kPrefix});
  const std::vector<sg_header> set = pairs(lines.paragraph());
  const std::vector<sg_header> add = pairs(lines.paragraph());
  std::vector<sg_bytes> remove;
  for (std::string_view name : lines.paragraph()) remove.push_back(bytes_of(name));
  sg_action from{};
  from.tag = static_cast<sg_action_tag>(data[0] % 3);
  from.has_status = data[1] != 0 || from.tag == SG_ACTION_REJECT;
  from.status = static_cast<std::uint16_t>(data[1] * 256 + data[2]);
  from.headers_set = {set.data(), set.size()};
  from.headers_add = {add.data(), add.size()};
  from.headers_remove = remove.data();
  from.headers_remove_len = remove.size();
  from.has_body = !lines.rest().empty();
  from.body = bytes_of(lines.rest());
  Arena arena;
  const auto action = lift_action(from, arena);
  if (!action) return 0;
  if (action->status) SANDGATE_CHECK(*action->status >= 200 && *action->status <= 599);
  check_request(*action);
  return 0;
}
