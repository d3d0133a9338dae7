// SPDX-License-Identifier: Apache-2.0
#include "modules/start_up.h"

#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "modules/attach_points.h"
#include "modules/deployment_checks.h"
#include "modules/parallel.h"
#include "platform/digest.h"
#include "platform/log.h"

namespace sandgate::modules {
namespace {

Result<std::shared_ptr<const sandbox::Module>> load(const ModuleArchive& archive, const ModuleRecord& record,
                                                    sandbox::Compiler& compiler) {
  Result<std::string> wasm = archive.read_wasm(record);
  if (!wasm) return fail(std::move(wasm.error()));
  Result<std::shared_ptr<const sandbox::Module>> module =
      compiler.compile_now(*wasm, record.sha256_hex, grants_of(record.options));
  if (!module) return fail(explain_compiler_error(module.error()));
  if (Status served = check_attach_points(**module, record.attach_points); !served)
    return fail(std::move(served.error()));
  return module;
}

std::shared_ptr<const DeployedModule> restored(const ModuleArchive& archive, const ModuleRecord& record,
                                               sandbox::Compiler& compiler) {
  auto module = std::make_shared<DeployedModule>();
  static_cast<ModuleRecord&>(*module) = record;
  Result<std::shared_ptr<const sandbox::Module>> loaded = load(archive, record, compiler);
  if (loaded) {
    module->module = std::move(*loaded);
  } else {
    module->unavailable = loaded.error().detail;
    log::error("module {} ({}) is unavailable: {} {}", record.name, record.uuid, log::escaped(loaded.error().detail),
               log::escaped(loaded.error().cause));
  }
  return module;
}

// The command line names at least one, and nothing after a last comma.
std::optional<std::vector<AttachPoint>> parse_points(std::string_view list) {
  if (list.empty() || list.ends_with(',')) return std::nullopt;
  return parse_attach_points(list);
}

Status deploy(Registry& registry, sandbox::Compiler& compiler, Descriptor descriptor,
              const std::string& module_directory) {
  if (Status checked = check_descriptor(descriptor); !checked) return checked;
  Result<std::string> wasm = read_module_file(descriptor.file_path, module_directory);
  if (!wasm) return fail(std::move(wasm.error()));
  if (Status checked = check_is_wasm(*wasm); !checked) return checked;
  std::string sha256_hex = platform::sha256_hex(*wasm);
  std::shared_ptr<const Snapshot> before = registry.store().snapshot();
  if (const DeployedModule* old = find_by_name(*before, descriptor.name)) descriptor.options = old->options;
  if (Registry::find_same(*before, descriptor, sha256_hex) != nullptr) return {};
  Result<std::shared_ptr<const sandbox::Module>> module =
      compiler.compile_now(*wasm, sha256_hex, grants_of(descriptor.options));
  if (!module) return fail(explain_compiler_error(module.error()));
  if (Status served = check_attach_points(**module, descriptor.attach_points); !served) return served;
  Result<PutResult> put = registry.put({std::move(descriptor), *wasm, std::move(sha256_hex), std::move(*module)});
  if (!put) return fail(std::move(put.error()));
  log::info("module {} of the command line {} as {}", put->module->name,
            put->kind == PutKind::kCreated ? "deployed" : "replaced", put->module->uuid);
  return {};
}

}  // namespace

Status restore_modules(Registry& registry, sandbox::Compiler& compiler) {
  const ModuleArchive* archive = registry.archive();
  if (archive == nullptr) return {};
  const std::vector<ModuleRecord>& records = archive->records();
  std::vector<std::shared_ptr<const DeployedModule>> modules(records.size());
  run_parallel(records.size(), [&](std::size_t i) { modules[i] = restored(*archive, records[i], compiler); });
  for (auto& module : modules) {
    if (Status added = registry.restore(std::move(module)); !added) return added;
  }
  if (!records.empty()) log::info("{} modules restored from {}", records.size(), archive->directory());
  return {};
}

Result<Descriptor> parse_module_argument(std::string_view text) {
  std::size_t equals = text.find('=');
  std::size_t at = text.rfind('@');
  std::optional<std::vector<AttachPoint>> points;
  if (equals != std::string_view::npos && at != std::string_view::npos && equals + 1 < at)
    points = parse_points(text.substr(at + 1));
  if (!points) {
    return fail(ErrorKind::kInvalid,
                fmt::format("--wasm-module {}: write NAME=FILE@OnRequest, or more of OnRequest, OnResponse and OnError "
                            "with commas between",
                            text));
  }
  Descriptor descriptor;
  descriptor.name = text.substr(0, equals);
  std::error_code failure;
  descriptor.file_path = std::filesystem::absolute(text.substr(equals + 1, at - equals - 1), failure).string();
  descriptor.attach_points = std::move(*points);
  return descriptor;
}

Status deploy_module_argument(Registry& registry, sandbox::Compiler& compiler, const std::string& argument,
                              const std::string& module_directory) {
  Result<Descriptor> descriptor = parse_module_argument(argument);
  if (!descriptor) return fail(std::move(descriptor.error()));
  Status deployed = deploy(registry, compiler, std::move(*descriptor), module_directory);
  if (deployed) return {};
  Error error = std::move(deployed.error());
  // The line that was typed is wrong, whatever the kind.
  return fail(ErrorKind::kInvalid, fmt::format("--wasm-module {}: {}", argument, error.detail), std::move(error.cause));
}

}  // namespace sandgate::modules
