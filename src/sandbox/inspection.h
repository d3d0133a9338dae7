// SPDX-License-Identifier: Apache-2.0
//
// What a WebAssembly binary is, wants and offers, told without compiling it. Bounded in time and memory, safe on
// hostile bytes; the binary is parsed, not validated.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sandgate::sandbox {

struct Inspection {
  std::string kind;                  // "component" or "core module"
  std::vector<std::string> imports;  // as written: "wasi:http/types@0.2.0", in core modules "module.field"
  std::vector<std::string> exports;
};

// kInvalid with what is wrong: no WebAssembly binary, malformed, or with more names than anybody reads.
Result<Inspection> inspect(std::string_view wasm);

}  // namespace sandgate::sandbox
