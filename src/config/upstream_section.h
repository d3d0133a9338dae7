// SPDX-License-Identifier: Apache-2.0
//
// [[upstream]]: servers, who gets which request, and what to do about sick ones.
#pragma once

#include <string>
#include <vector>

#include "config/table_reader.h"
#include "gateway/upstream_options.h"

namespace sandgate::config {

// `directory`: where relative paths begin.
gateway::UpstreamOptions read_upstream(TableReader& in, const std::string& directory);

}  // namespace sandgate::config
