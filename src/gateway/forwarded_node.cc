// SPDX-License-Identifier: Apache-2.0
#include "gateway/forwarded_node.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/field.h"

namespace sandgate::gateway {
namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, ascii_digit);
}

std::optional<ForwardedNode> node_of(std::string_view address) {
  std::optional<IpAddress> ip = parse_ip(address);
  if (!ip) return std::nullopt;
  return ForwardedNode{address, *ip};
}

// Reads `for=value` and its like from the front of a Forwarded list. Quoted pairs are not decoded: no valid address
// needs one.
class ForwardedReader {
 public:
  explicit ForwardedReader(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }
  char front() const { return rest_.front(); }
  void skip() { rest_.remove_prefix(1); }
  void skip_blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) skip();
  }
  std::string_view take_token() {
    std::size_t length = 0;
    while (length < rest_.size() && http::is_token(rest_.substr(length, 1))) ++length;
    return take(length);
  }
  std::optional<std::string_view> take_quoted() {
    skip();
    for (std::size_t at = 0; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        std::string_view text = take(at);
        skip();
        return text;
      }
    }
    return std::nullopt;
  }

 private:
  std::string_view take(std::size_t length) {
    std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return text;
  }
  std::string_view rest_;
};

struct Parameter {
  std::string_view name;
  std::string_view value;
};

std::optional<Parameter> read_parameter(ForwardedReader& reader) {
  Parameter parameter;
  parameter.name = reader.take_token();
  if (parameter.name.empty() || reader.at_end() || reader.front() != '=') return std::nullopt;
  reader.skip();
  if (reader.at_end()) return std::nullopt;
  if (reader.front() == '"') {
    std::optional<std::string_view> quoted = reader.take_quoted();
    if (!quoted) return std::nullopt;
    parameter.value = *quoted;
  } else {
    parameter.value = reader.take_token();
    if (parameter.value.empty()) return std::nullopt;
  }
  return parameter;
}

// One element: parameters separated by semicolons. Sets `node` when there is a for=. False when malformed.
bool read_element(ForwardedReader& reader, std::string_view& node) {
  bool has_for = false;
  while (true) {
    reader.skip_blanks();
    if (reader.at_end() || reader.front() == ',') return true;
    if (reader.front() != ';') {
      std::optional<Parameter> parameter = read_parameter(reader);
      if (!parameter) return false;
      if (equals_ignoring_case(parameter->name, "for")) {
        if (has_for) return false;
        has_for = true;
        node = parameter->value;
      }
      reader.skip_blanks();
      if (reader.at_end() || reader.front() == ',') return true;
      if (reader.front() != ';') return false;
    }
    reader.skip();
  }
}

}  // namespace

std::optional<ForwardedNode> parse_forwarded_node(std::string_view text) {
  if (text.starts_with('[')) {
    std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
    std::string_view address = text.substr(1, close - 1);
    if (address.find(':') == std::string_view::npos) return std::nullopt;
    return node_of(address);
  }
  std::size_t colon = text.find(':');
  bool one_colon = colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
  if (!one_colon) return node_of(text);
  if (!is_port(text.substr(colon + 1))) return std::nullopt;
  return node_of(text.substr(0, colon));
}

std::optional<std::size_t> forwarded_for_parameters(std::string_view list, std::span<std::string_view> nodes) {
  ForwardedReader reader(list);
  std::size_t count = 0;
  while (true) {
    reader.skip_blanks();
    if (reader.at_end()) return count;
    if (reader.front() == ',') {
      reader.skip();
      continue;
    }
    std::string_view node;
    if (!read_element(reader, node)) return std::nullopt;
    if (count == nodes.size()) {
      std::shift_left(nodes.begin(), nodes.end(), 1);
      --count;
    }
    nodes[count++] = node;
  }
}

}  // namespace sandgate::gateway
