// SPDX-License-Identifier: Apache-2.0
//
// The part of the metrics page that tells of key-value stores.
#pragma once

#include "capability/key_value/state.h"
#include "telemetry/exposition.h"

namespace sandgate::telemetry {

void write_state(Exposition& out, const capability::State& state);

}  // namespace sandgate::telemetry
