// SPDX-License-Identifier: Apache-2.0
//
// The host of a route as it is written: "api.example.com", "*.example.com" (any name below it, not itself), "10.0.0.1",
// "[::1]", or nothing for every host. Ports are not looked at. Immutable.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sandgate::routing {

// How hosts are compared: lower case, without port, brackets and the dot at the end of a full name. `room` takes the
// text when it is not a part of `authority`. Empty when `authority` is none.
std::string_view host_of(std::string_view authority, std::string& room);

class HostPattern {
 public:
  enum class Kind : unsigned char { kAny, kBelow, kExact };

  // Every host.
  HostPattern() = default;
  // kInvalid: what is wrong and what to write instead.
  static Result<HostPattern> parse(std::string_view text);

  Kind kind() const { return kind_; }
  // The host, or for kBelow what follows the star: ".example.com".
  const std::string& name() const { return name_; }
  // As written; "*" for every host.
  std::string text() const;
  bool operator==(const HostPattern&) const = default;

 private:
  Kind kind_ = Kind::kAny;
  std::string name_;
};

}  // namespace sandgate::routing
