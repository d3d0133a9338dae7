// SPDX-License-Identifier: Apache-2.0
//
// Modules that the configuration file names: read from their files when the configuration is loaded, never kept
// elsewhere. Blocking; any thread but a loop's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "modules/module_store.h"
#include "sandbox/compiler.h"

namespace sandgate::modules {

struct FileModule {
  std::string name;
  std::string path;
  std::vector<AttachPoint> attach;  // empty: wherever it has an export
  ModuleOptions options;
};

// The module of the file as it is now; `previous`, which may be null, when nothing of it changed, else one with the
// uuid and the counters of `previous`. kInvalid and what the compiler says, with a detail for the person who wrote the
// file.
Result<std::shared_ptr<const DeployedModule>> load_file_module(const FileModule& file, const DeployedModule* previous,
                                                               sandbox::Compiler& compiler);

// The same module with other options, for one use of it. Counts together with it; never in the store.
Result<std::shared_ptr<const DeployedModule>> load_file_module_use(const DeployedModule& module,
                                                                   const ModuleOptions& options,
                                                                   sandbox::Compiler& compiler);

}  // namespace sandgate::modules
