// SPDX-License-Identifier: Apache-2.0
//
// The auth example (examples/auth), built with the program and carried in it.
#pragma once

#include <string_view>

namespace sandgate::cli {

std::string_view demo_module();

}  // namespace sandgate::cli
