// SPDX-License-Identifier: Apache-2.0
//
// What is asked of a module's content wherever it comes from: a file, a request, the archive. The details are for the
// person who deploys. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "modules/module_options.h"
#include "sandbox/module.h"

namespace sandgate::modules {

// kInvalid when these are not the bytes of a wasm binary.
Status check_is_wasm(std::string_view wasm);

// What the compiler said, as the person who deploys should read it: a module that is at fault is called invalid, with a
// hint about the format where that helps.
Error explain_compiler_error(const Error& error);

// kInvalid when no export serves one of the attach points.
Status check_attach_points(const sandbox::Module& module, const std::vector<AttachPoint>& points);

// What the options grant.
sandbox::Grants grants_of(const ModuleOptions& options);

// In the order of their first appearance.
std::vector<AttachPoint> without_repeats(const std::vector<AttachPoint>& points);

}  // namespace sandgate::modules
