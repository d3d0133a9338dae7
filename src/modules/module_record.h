// SPDX-License-Identifier: Apache-2.0
//
// What is known of a deployed module apart from its code: what the index keeps and reports show.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "modules/module_options.h"

namespace sandgate::modules {

struct ModuleRecord {
  std::string uuid;       // version 4, lower case
  std::string name;       // [A-Za-z0-9._-]{1,64}
  std::string file_path;  // as given; empty when the content came in the request
  std::string sha256_hex;
  std::uint64_t size_bytes = 0;
  std::int64_t created_unix_ns = 0;  // of this content: a replacement is new
  std::vector<AttachPoint> attach_points;
  ModuleOptions options;

  bool attached(AttachPoint point) const;
  bool operator==(const ModuleRecord&) const = default;
};

}  // namespace sandgate::modules
