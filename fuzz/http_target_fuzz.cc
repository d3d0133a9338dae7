// SPDX-License-Identifier: Apache-2.0
//
// Paths and authorities. A normal form is its own normal form, is a path that cannot be read in two ways, and lies in
// the arena or is the input; an accepted authority is made of its parts.
#include <cstdint>
#include <string>

#include "http/byte_class.h"
#include "http/target.h"
#include "http/testing/guarded_input.h"

namespace {

using namespace sandgate;

void check_path(std::string_view text) {
  static http::testing::GuardedInput input(4096);
  Arena arena;
  const std::string_view path = input.place(text);
  const std::optional<std::string_view> normal = http::normalise_path(path, arena);
  if (!normal) return;
  const bool is_input = normal->data() == path.data();
  SANDGATE_CHECK(!is_input || normal->size() == path.size());
  const std::string kept(*normal);
  input.spoil();
  // Unless it is the input itself, it is a copy.
  SANDGATE_CHECK(is_input || *normal == kept);
  SANDGATE_CHECK(kept.size() <= text.size() && kept.front() == '/');
  SANDGATE_CHECK(kept.find("//") == std::string::npos && (kept + "/").find("/./") == std::string::npos);
  SANDGATE_CHECK((kept + "/").find("/../") == std::string::npos);
  for (char c : kept) SANDGATE_CHECK(http::is_byte(c, http::kTargetByte) && c != '\\' && c != '?');
  SANDGATE_CHECK(http::normalise_path(kept, arena)->data() == kept.data());
}

void check_authority(std::string_view text) {
  static http::testing::GuardedInput input(4096);
  const std::string_view placed = input.place(text);
  const std::optional<http::Authority> authority = http::parse_authority(placed);
  if (!authority) return;
  std::string again = authority->is_ipv6 ? "[" + std::string(authority->host) + "]" : std::string(authority->host);
  if (!authority->port.empty()) again += ":" + std::string(authority->port);
  SANDGATE_CHECK(again == placed);
  SANDGATE_CHECK(!authority->host.empty() && authority->port.size() <= 5);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_path(text);
  check_path("/" + std::string(text.substr(0, 4000)));
  check_authority(text);
  return 0;
}
