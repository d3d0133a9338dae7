// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "tests/hostile/rows.h"

namespace sandgate::test {
namespace {

using Refusal = std::pair<std::string_view, std::string_view>;

constexpr Refusal kTooMuch[] = {
    {"huge_memory", "a memory begins with 2147483648 bytes, the largest of this process is 67108864"},
    {"huge_table", "a table begins with 100000000 elements, the limit is 131072"},
    {"tables_many", "defined tables count of 100 exceeds the per-instance limit of 16"},
    {"memories_many", "a WebAssembly proposal that is off: multiple memories"},
    {"functions_300000", "there are more than 250000 functions"},
    {"types_1000001", "types count exceeds limit of 1000000"},
    {"parameters_1001", "function params size is out of bounds"},
    {"data_100001", "data segments count exceeds limit of 100000"},
    {"locals_50001", "too many locals"},
    {"function_8m", "function body size count exceeds limit of 7654321"},
    {"br_table_1000000", "`br_table` has 1000000 targets, which exceeds the implementation limit of 65520"},
    {"names_1m", "string size out of bounds"},
    {"component_modules_100", "there are more than 32 modules in the component"},
    {"components_100", "the component serves nothing"},
    {"components_1000", "the component has more than 100 levels"},
};

constexpr Refusal kWants[] = {
    {"unknown_import", "the import `env` `secret` is not granted"},
    {"imports_5000", "the import `env` `secret_0` is not granted"},
    {"imports_same_1000", "type mismatch for function `sched_yield`"},
    {"key_value_any",
     "the import `wasi:keyvalue/store@0.2.0-draft2` is not granted; to allow it, deploy the module with "
     "\\\"allow\\\": {\\\"key_value\\\": [\\\"NAME\\\"]}"},
};

constexpr Refusal kBroken[] = {
    {"missing_exports", "the core module serves nothing: export `on-request`"},
    {"component_empty", "the component serves nothing: export `on-request`"},
    {"wrong_signature", "sgl:router/middleware-on-request#on-request"},
    {"exports_same", "duplicate export name"},
    {"wrong_order", "function section is absent but code section has non-zero count"},
    {"section_twice", "section out of order"},
    {"section_too_long", "the binary is malformed"},
    {"number_without_end", "integer representation too long"},
    {"count_lies", "types count exceeds limit"},
    {"version_2", "unknown binary version"},
    {"wrong_type", "type mismatch: expected i32 but nothing on stack"},
    {"names_broken", "malformed UTF-8 encoding"},
};

}  // namespace

std::vector<RefusalRow> refusal_rows() {
  std::vector<RefusalRow> rows;
  for (const auto& [guest, says] : kTooMuch) rows.push_back({&router_middleware(), guest, says});
  for (const auto& [guest, says] : kWants) rows.push_back({&router_middleware(), guest, says});
  for (const auto& [guest, says] : kBroken) rows.push_back({&router_middleware(), guest, says});
  return rows;
}

}  // namespace sandgate::test
