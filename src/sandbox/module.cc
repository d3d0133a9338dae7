// SPDX-License-Identifier: Apache-2.0
#include "sandbox/module.h"

#include <utility>

#include "sandbox/engine_error.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {

Result<std::shared_ptr<const Module>> Module::load(std::shared_ptr<Engine> engine, std::string_view code,
                                                   const Grants& grants) {
  std::vector<sg_header> config;
  if (grants.config) {
    for (const auto& [name, value] : *grants.config) config.push_back({to_bytes(name), to_bytes(value)});
  }
  sg_grants granted{};
  granted.key_value = grants.key_value;
  granted.config = grants.config.has_value();
  granted.config_entries = config.data();
  granted.config_len = config.size();
  sg_module* module = nullptr;
  if (sg_error* error = ::sg_module_load(engine->handle(), to_bytes(code), &granted, &module))
    return fail(take_error(error));
  return std::shared_ptr<const Module>(new Module(std::move(engine), module));
}

Module::~Module() { ::sg_module_drop(module_); }

bool Module::serves_on_request() const { return (::sg_module_hooks(module_) & SG_HOOK_ON_REQUEST) != 0; }

bool Module::serves_on_response() const { return (::sg_module_hooks(module_) & SG_HOOK_ON_RESPONSE) != 0; }

}  // namespace sandgate::sandbox
