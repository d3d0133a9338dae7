// SPDX-License-Identifier: Apache-2.0
//
// One compilation in a process of its own, and what its end means.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "platform/descriptor.h"
#include "sandbox/child_process.h"
#include "sandbox/compiler.h"

namespace sandgate::sandbox {

// Native code of `wasm`. Blocking. Errors as Compiler::compile; kOverloaded when `stop` ended it.
Result<std::string> compile_in_child(const CompilerOptions& options, std::string_view wasm,
                                     const platform::Descriptor& stop);

// The parts of it, for tests: what a process's end says.
Result<std::string> code_of(ChildEnd&& end, const CompilerOptions& options);

}  // namespace sandgate::sandbox
