// SPDX-License-Identifier: Apache-2.0
//
// [state]: where key-value stores are kept.
#pragma once

#include <string>

#include "capability/key_value/state_options.h"
#include "config/table_reader.h"

namespace sandgate::config {

// `directory`: where a relative path of an SQLite file begins.
void read_state(TableReader& in, const std::string& directory, capability::StateOptions& state);

}  // namespace sandgate::config
