// SPDX-License-Identifier: Apache-2.0
//
// How one module is run, as the person who deploys it said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sandgate::modules {

enum class AttachPoint : unsigned char { kOnRequest, kOnResponse, kOnError };
inline constexpr std::size_t kAttachPoints = 3;
// "OnRequest", "OnResponse", "OnError".
std::string_view attach_point_name(AttachPoint point);
std::optional<AttachPoint> parse_attach_point(std::string_view name);

enum class OnFailure : unsigned char {
  kClosed,  // the exchange fails with 503
  kOpen,    // the module is skipped
};
// "closed", "open".
std::string_view on_failure_name(OnFailure policy);
std::optional<OnFailure> parse_on_failure(std::string_view name);

// What of a guest outlives a call.
enum class InstanceMode : unsigned char {
  kFresh,     // nothing: every call has an instance of its own
  kExchange,  // the hooks of one exchange share one
  kReuse,     // instances are kept for other exchanges; resetting itself is the guest's business
};
// "fresh", "exchange", "reuse".
std::string_view instance_mode_name(InstanceMode mode);
std::optional<InstanceMode> parse_instance_mode(std::string_view name);

// Narrower limits than the server's; 0: the server's. The server's hold in any case.
struct ModuleLimits {
  static constexpr std::uint64_t kMemoryBytesMin = 64 * 1024;  // a page

  std::uint64_t memory_bytes = 0;  // over all memories of an instance
  std::uint32_t time_ms = 0;       // wall time of one call
  std::uint32_t cpu_ms = 0;        // CPU time of one call

  bool operator==(const ModuleLimits&) const = default;
};

struct ModuleOptions {
  // A kept instance is replaced after so many calls, so that what a guest leaks does not add up. The most is what a
  // counter in a report still reads well with.
  static constexpr std::uint32_t kReuseCallsDefault = 1000;
  static constexpr std::uint32_t kReuseCallsMax = 1'000'000;
  // And after so long: secrets and caches in it get old. At most a day.
  static constexpr std::uint32_t kReuseSecondsDefault = 60;
  static constexpr std::uint32_t kReuseSecondsMax = 86'400;
  // Settings are for people to read; a file of data belongs into a store.
  static constexpr std::size_t kConfigEntriesMax = 64;
  static constexpr std::size_t kConfigBytesMax = 64 * 1024;  // names and values together
  static constexpr std::size_t kKeyValueStoresMax = 16;

  bool body = true;                     // whether hooks see bodies; without, nothing is buffered for the module
  std::optional<OnFailure> on_failure;  // nothing: as the attach point has it
  InstanceMode instance = InstanceMode::kFresh;
  std::uint32_t reuse_calls_max = kReuseCallsDefault;
  std::uint32_t reuse_seconds_max = kReuseSecondsDefault;
  std::optional<std::vector<std::pair<std::string, std::string>>> config;  // granted, even when empty
  ModuleLimits limits;
  std::vector<std::string> key_value;  // stores it may open; empty: none, and the interface is not linked

  // A failing request module must not let requests through unseen; a failing response module must not take an answer
  // away that is there.
  OnFailure on_failure_at(AttachPoint point) const {
    return on_failure.value_or(point == AttachPoint::kOnRequest ? OnFailure::kClosed : OnFailure::kOpen);
  }
  bool operator==(const ModuleOptions&) const = default;
};

}  // namespace sandgate::modules
