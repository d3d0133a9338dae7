// SPDX-License-Identifier: Apache-2.0
//
// What an import of a module asks of whoever deploys it, in words.
#pragma once

#include <string_view>

namespace sandgate::cli {

// Of an import as `sandbox::inspect` tells it. Static text.
std::string_view need_of_import(std::string_view name);

}  // namespace sandgate::cli
