// SPDX-License-Identifier: Apache-2.0
//
// [[module]]: a module of the file, and what a route's middleware may say about one.
#pragma once

#include <string>
#include <vector>

#include "config/manifest.h"
#include "config/table_reader.h"

namespace sandgate::config {

// `directory`: where relative paths begin.
ModuleEntry read_module(TableReader& in, const std::string& directory);

// The options that both may have, over those that are there. Settings (config) of a use are put over the module's one
// by one.
void read_module_options(TableReader& in, modules::ModuleOptions& options);

}  // namespace sandgate::config
