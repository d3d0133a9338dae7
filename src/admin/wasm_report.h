// SPDX-License-Identifier: Apache-2.0
//
// The JSON that /wasm answers with. Pure.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "modules/descriptor.h"
#include "modules/module_store.h"

namespace sandgate::admin {

struct DeployOutcome {
  modules::Descriptor descriptor;
  Result<std::string> uuid;
};

// {"modules": [...]}: what was sent, each with "add_result": {"Success": uuid} or {"Error": detail}.
std::string deploy_report(std::span<const DeployOutcome> outcomes);

// {"modules": [{"module_uuid", "module_meta": {...}}], "metrics": {...}}. Times of day are RFC 3339; durations are
// milliseconds to the nanosecond, whole numbers without a fraction. The average is total divided by executions, 0.0
// without executions.
std::string module_report(const modules::Snapshot& snapshot, const modules::ExecutionTotals& totals);

// One of the elements of "modules", as a document of its own.
std::string module_report(const modules::DeployedModule& module);

}  // namespace sandgate::admin
