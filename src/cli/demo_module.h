// SPDX-License-Identifier: Apache-2.0
//
// The examples (examples/), built with the program and carried in it.
#pragma once

#include <array>
#include <string_view>

namespace sandgate::cli {

struct DemoModule {
  std::string_view name;  // "auth"
  std::string_view wasm;
};

std::array<DemoModule, 3> demo_modules();

}  // namespace sandgate::cli
