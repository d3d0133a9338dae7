// SPDX-License-Identifier: Apache-2.0
//
// The values of --worker-urls: http://HOST:PORT, several of them, in several values or separated by commas. Start-up
// only. Errors name the value and show the right form. 0.0.0.0 and [::] as a target mean this machine, as people write
// them after copying a listen address.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/upstream_options.h"

namespace sandgate::gateway {

// As servers of an upstream. kUnsupported for https; kInvalid for everything that is not an http URL of a server alone,
// for a server given twice, for none, and for more than UpstreamOptions::kServersMax.
Result<std::vector<ServerOptions>> parse_worker_urls(std::span<const std::string> values);

}  // namespace sandgate::gateway
