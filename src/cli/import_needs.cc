// SPDX-License-Identifier: Apache-2.0
#include "cli/import_needs.h"

#include <array>

namespace sandgate::cli {
namespace {

struct Need {
  std::string_view prefix;
  std::string_view text;
};

constexpr std::string_view kNeverGranted = "cannot be granted: a module with this import is refused";

// The first that fits counts.
constexpr std::array<Need, 10> kNeeds = {{
    {"wasi:keyvalue/", R"(a store: deploy with "allow": {"key_value": ["NAME"]})"},
    {"wasi:config/", R"(settings: deploy with "config": {"NAME": "VALUE"}, or "config": {})"},
    {"wasi:logging/", "always there: lines in the gateway's log"},
    {"wasi:http/outgoing-handler", "always there, and denies every request"},
    {"wasi:http/", "always there: types"},
    {"wasi:cli/", "always there: output becomes log lines, no environment, no arguments; exit is a failure"},
    {"wasi:filesystem/", "always there, and empty: no directory is open"},
    {"wasi:sockets/", "always there, and denies every address and name"},
    {"wasi:", "always there: clocks, random numbers, streams"},
    {"wasi_snapshot_preview1.",
     "always there, through the adapter: no files, no environment; output becomes log lines"},
}};

}  // namespace

std::string_view need_of_import(std::string_view name) {
  // Types of the middleware interface itself are imported by some toolchains; they need nothing.
  for (std::string_view package : {"sgl:router/", "sgl:model-gateway/", "smg:gateway/", "vllm:router-middleware/"}) {
    if (name.starts_with(package)) return "always there: types of the interface";
  }
  for (const Need& need : kNeeds) {
    if (name.starts_with(need.prefix)) return need.text;
  }
  return kNeverGranted;
}

}  // namespace sandgate::cli
