// SPDX-License-Identifier: Apache-2.0
#include "modules/file_module.h"

#include <fmt/core.h>

#include <utility>

#include "modules/deployment_checks.h"
#include "modules/descriptor.h"
#include "platform/clock.h"
#include "platform/digest.h"
#include "platform/entropy.h"
#include "platform/file.h"

namespace sandgate::modules {
namespace {

Result<std::string> read_wasm(const std::string& path) {
  Result<std::string> wasm = platform::read_file(path, kModuleBytesMax);
  if (!wasm) return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, wasm.error().detail), wasm.error().cause);
  if (Status checked = check_is_wasm(*wasm); !checked)
    return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, checked.error().detail));
  return wasm;
}

Result<std::shared_ptr<const sandbox::Module>> compile(std::string_view wasm, std::string_view sha256_hex,
                                                       const ModuleOptions& options, sandbox::Compiler& compiler) {
  auto module = compiler.compile_now(wasm, sha256_hex, grants_of(options));
  if (!module) return fail(explain_compiler_error(module.error()));
  return module;
}

bool serves(const sandbox::Module& module, AttachPoint point) {
  return point == AttachPoint::kOnRequest ? module.serves_on_request() : module.serves_on_response();
}

std::vector<AttachPoint> attach_points_of(const FileModule& file, const sandbox::Module& module) {
  std::vector<AttachPoint> points = without_repeats(file.attach);
  for (AttachPoint point : {AttachPoint::kOnRequest, AttachPoint::kOnResponse, AttachPoint::kOnError}) {
    if (file.attach.empty() && serves(module, point)) points.push_back(point);
  }
  return points;
}

bool is_same(const FileModule& file, std::string_view sha256_hex, const DeployedModule& loaded) {
  return loaded.sha256_hex == sha256_hex && loaded.options == file.options && loaded.file_path == file.path &&
         loaded.attach_points == attach_points_of(file, *loaded.module);
}

}  // namespace

Result<std::shared_ptr<const DeployedModule>> load_file_module(const FileModule& file, const DeployedModule* previous,
                                                               sandbox::Compiler& compiler) {
  Result<std::string> wasm = read_wasm(file.path);
  if (!wasm) return fail(std::move(wasm.error()));
  std::string sha256_hex = platform::sha256_hex(*wasm);
  if (previous != nullptr && is_same(file, sha256_hex, *previous)) return previous->shared_from_this();
  auto compiled = compile(*wasm, sha256_hex, file.options, compiler);
  if (!compiled) return fail(std::move(compiled.error()));
  if (Status served = check_attach_points(**compiled, file.attach); !served) return fail(std::move(served.error()));

  auto module = std::make_shared<DeployedModule>();
  module->name = file.name;
  module->owner = ModuleOwner::kFile;
  module->file_path = file.path;
  module->size_bytes = wasm->size();
  module->options = file.options;
  module->attach_points = attach_points_of(file, **compiled);
  module->sha256_hex = std::move(sha256_hex);
  module->module = std::move(*compiled);
  module->uuid = previous != nullptr ? previous->uuid : platform::make_uuid();
  module->created_unix_ns = platform::unix_now_ns();
  if (previous != nullptr) module->counters = previous->counters;
  return module;
}

Result<std::shared_ptr<const DeployedModule>> load_file_module_use(const DeployedModule& module,
                                                                   const ModuleOptions& options,
                                                                   sandbox::Compiler& compiler) {
  auto use = std::make_shared<DeployedModule>();
  static_cast<ModuleRecord&>(*use) = static_cast<const ModuleRecord&>(module);
  use->options = options;
  use->owner = ModuleOwner::kFile;
  use->counters = module.counters;
  use->module = module.module;
  // Powers are linked in when code is loaded; the rest of the options is looked at when a call begins.
  if (options.config == module.options.config && options.key_value.empty() == module.options.key_value.empty())
    return use;
  Result<std::string> wasm = read_wasm(module.file_path);
  if (!wasm) return fail(std::move(wasm.error()));
  if (platform::sha256_hex(*wasm) != module.sha256_hex)
    return fail(ErrorKind::kInvalid, fmt::format("{} changed while it was read", module.file_path));
  auto compiled = compile(*wasm, module.sha256_hex, options, compiler);
  if (!compiled) return fail(std::move(compiled.error()));
  use->module = std::move(*compiled);
  return use;
}

}  // namespace sandgate::modules
