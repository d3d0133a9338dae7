// SPDX-License-Identifier: Apache-2.0
//
// `sandgate serve --print-config`: what a server would run with, as JSON, without starting it.
#pragma once

#include <string>

#include "config/manifest.h"
#include "config/settings.h"

namespace sandgate::cli {

// One object; the members of the process are named like their flags, upstreams, modules and routes like in the file.
// Defaults are filled in. The admin token is "set" or null.
std::string config_json(const config::Settings& settings, const config::Manifest& manifest);

}  // namespace sandgate::cli
