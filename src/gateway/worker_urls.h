// SPDX-License-Identifier: Apache-2.0
//
// The values of --worker-urls: http://HOST:PORT, several of them, in several values or separated by commas. Start-up
// only. Errors name the value and show the right form. 0.0.0.0 and [::] as a target mean this machine, as people write
// them after copying a listen address.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/upstream.h"

namespace sandgate::gateway {

struct WorkerUrl {
  std::string host;  // lower case; IPv6 without brackets
  std::uint16_t port = 80;

  std::string authority() const;  // "127.0.0.1:30000", "[::1]:30000"
  bool operator==(const WorkerUrl&) const = default;
};

// kUnsupported for https; kInvalid for everything that is not an http URL of a server alone, for a server given twice,
// for none, and for more than Upstream::kServersMax.
Result<std::vector<WorkerUrl>> parse_worker_urls(std::span<const std::string> values);

// Looks the names up (blocks). kNotFound names the URL whose host has no address.
Result<std::vector<ServerAddress>> resolve_worker_urls(std::span<const WorkerUrl> urls);

}  // namespace sandgate::gateway
