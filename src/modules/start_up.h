// SPDX-License-Identifier: Apache-2.0
//
// The modules of a server that starts: those that were deployed before, and those of the command line. Blocking, on the
// starting thread, before the loops run and the port opens.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "modules/registry.h"
#include "sandbox/compiler.h"

namespace sandgate::modules {

// Loads every module of the registry's archive, in order, from cached code where there is some. One that cannot run is
// restored as unavailable, with the reason, and logged.
Status restore_modules(Registry& registry, sandbox::Compiler& compiler);

// "NAME=FILE@OnRequest,OnResponse". The path becomes absolute. kInvalid says what is wrong and shows the form.
Result<Descriptor> parse_module_argument(std::string_view text);

// Deploys the file unless a module of that name has its content and attach points; one that differs is replaced, and
// keeps its options, because a command line has none. Errors as Deployer::put; the detail names the argument.
Status deploy_module_argument(Registry& registry, sandbox::Compiler& compiler, const std::string& argument,
                              const std::string& module_directory);

}  // namespace sandgate::modules
