// SPDX-License-Identifier: Apache-2.0
//
// The JSON of POST /wasm: {"modules": [{"name", "file_path", "module_type", "attach_points"}]}, each with the options
// "on_failure": "closed" or "open", "body": false, "instance": "fresh", "exchange" or "reuse",
// "reuse": {"max_calls", "max_age_s"}, "config": {"name": "value"}, "allow": {"key_value": ["store"]}. Only the shape
// is checked here; what the values mean is checked when a module is deployed (modules/descriptor.h). Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "modules/descriptor.h"

namespace sandgate::admin {

// Depth of nesting; the shape needs 5, unknown members are ignored and may need some more.
inline constexpr std::size_t kJsonDepthMax = 32;

struct BadRequest {
  int status = 400;    // 400: no JSON; 422: JSON of another shape
  std::string detail;  // names the member: "modules[0].name: expected a string"
};

// In the order given. Unknown members of the seed's shape are ignored, unknown powers in "allow" are refused; at most
// ModuleStore::kModulesMax modules.
std::expected<std::vector<modules::Descriptor>, BadRequest> parse_deploy_request(std::string_view text);

}  // namespace sandgate::admin
