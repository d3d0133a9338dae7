// SPDX-License-Identifier: Apache-2.0
//
// The body of POST /wasm. What is accepted has at most the modules that fit, and each descriptor passes its checks or
// is refused with a text.

// fuzz-links: admin modules boost_json

#include <cstdint>
#include <string_view>

#include "admin/deploy_request.h"
#include "base/check.h"
#include "modules/descriptor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sandgate;
  auto parsed = admin::parse_deploy_request({reinterpret_cast<const char*>(data), size});
  if (!parsed) {
    SANDGATE_CHECK(parsed.error().status == 400 || parsed.error().status == 422);
    SANDGATE_CHECK(!parsed.error().detail.empty());
    return 0;
  }
  SANDGATE_CHECK(parsed->size() <= modules::ModuleStore::kModulesMax);
  for (const modules::Descriptor& descriptor : *parsed) {
    Status checked = modules::check_descriptor(descriptor);
    SANDGATE_CHECK(checked || !checked.error().detail.empty());
    if (checked) SANDGATE_CHECK(descriptor.file_path.starts_with('/') && !descriptor.name.empty());
  }
  return 0;
}
