// SPDX-License-Identifier: Apache-2.0
//
// Lists of attach points as text, "OnRequest,OnResponse": in the query of a PUT, on the command line, in the index.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modules/module_options.h"

namespace sandgate::modules {

std::string join_attach_points(const std::vector<AttachPoint>& points);
// Empty text is an empty list; a comma at the end is allowed. Nothing when a part is no attach point.
std::optional<std::vector<AttachPoint>> parse_attach_points(std::string_view text);

}  // namespace sandgate::modules
