// SPDX-License-Identifier: Apache-2.0
//
// `sandgate serve --print-config`: what a server would run with, as JSON, without starting it.
#pragma once

#include <string>

#include "server/settings.h"

namespace sandgate::cli {

// One object, each member named like its flag; defaults are filled in. The admin token is "set" or null.
std::string config_json(const server::Settings& settings);

}  // namespace sandgate::cli
