// SPDX-License-Identifier: Apache-2.0
//
// A manifest as JSON with every default filled in: what `--print-config` and the admin API show. Settings of modules
// are shown by name only: their values may be secrets.
#pragma once

#include <boost/json/object.hpp>

#include "config/manifest.h"

namespace sandgate::config {

// {"upstreams": [...], "modules": [...], "routes": [...]}, with the keys of the file.
boost::json::object manifest_json(const Manifest& manifest);

}  // namespace sandgate::config
