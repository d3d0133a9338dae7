// SPDX-License-Identifier: Apache-2.0
//
// PUT /wasm/NAME: a line with the name, one with a setting as its field has it, then the query. What is accepted is a
// descriptor of that name whose options are judged; what is refused says why.

// fuzz-links: admin modules boost_json

#include <cstdint>
#include <string_view>

#include "admin/put_request.h"
#include "base/arena.h"
#include "base/check.h"
#include "modules/descriptor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sandgate;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view name = text.substr(0, line);
  text.remove_prefix(line + 1);
  const std::size_t second = text.find('\n');
  if (second == std::string_view::npos) return 0;
  Arena arena;
  http::Fields fields(arena);
  if (second != 0) fields.add("sandgate-config", text.substr(0, second));
  Result<modules::Descriptor> parsed = admin::parse_put_request(name, text.substr(second + 1), fields);
  if (!parsed) {
    SANDGATE_CHECK(parsed.error().kind == ErrorKind::kInvalid && !parsed.error().detail.empty());
    return 0;
  }
  SANDGATE_CHECK(parsed->name == name && parsed->file_path.empty());
  const Status judged = modules::check_options(parsed->options);
  SANDGATE_CHECK(judged || !judged.error().detail.empty());
  return 0;
}
