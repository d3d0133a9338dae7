// SPDX-License-Identifier: Apache-2.0
//
// What a file is, by the end of its name.
#pragma once

#include <string_view>

namespace sandgate::gateway {

// The type of the part after the last dot, without regard to case; "application/octet-stream" when it is not in the
// table. Text is said to be UTF-8. Static text.
std::string_view media_type_of(std::string_view file_name);

}  // namespace sandgate::gateway
