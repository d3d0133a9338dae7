// SPDX-License-Identifier: Apache-2.0
#include "modules/deployer.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "modules/deployment_checks.h"
#include "platform/digest.h"

namespace sandgate::modules {

// Shared by the waiting coroutine and the jobs of the thread, so that either may end first.
struct Deployer::Work {
  Descriptor descriptor;
  Result<std::string> content;
  std::string sha256_hex{};
  std::shared_ptr<const sandbox::Module> module{};
  Result<std::shared_ptr<const DeployedModule>> added{};
  Result<PutResult> put{};

  Candidate candidate() { return {std::move(descriptor), *content, sha256_hex, std::move(module)}; }
};

Deployer::Deployer(Registry& registry, sandbox::Compiler& compiler, std::string module_directory)
    : registry_(registry), compiler_(compiler), module_directory_(std::move(module_directory)) {}

Result<Deployer::Place> Deployer::enter() {
  unsigned before = deployments_.fetch_add(1, std::memory_order_relaxed);
  Place place(deployments_);
  if (before < kDeploymentsMax) return place;
  return fail(ErrorKind::kOverloaded,
              fmt::format("{} modules are being deployed at this moment; try again", kDeploymentsMax));
}

Task<Status> Deployer::compile(std::shared_ptr<Work> work, Loop& loop) {
  const std::string& wasm = *work->content;
  if (Status checked = check_is_wasm(wasm); !checked) co_return checked;
  // `wasm` lives in `work`, which this frame holds.
  Result<std::shared_ptr<const sandbox::Module>> compiled =
      co_await compiler_.compile(wasm, work->sha256_hex, grants_of(work->descriptor.options), loop);
  if (!compiled) co_return fail(explain_compiler_error(compiled.error()));
  if (Status served = check_attach_points(**compiled, work->descriptor.attach_points); !served) co_return served;
  work->module = std::move(*compiled);
  co_return Status();
}

Task<Result<std::string>> Deployer::deploy(Descriptor descriptor, Loop& loop) {
  if (Status checked = check_descriptor(descriptor); !checked) co_return fail(checked.error());
  Result<Place> place = enter();
  if (!place) co_return fail(std::move(place.error()));
  // Checked early to save the work, and again by the registry, which decides.
  std::shared_ptr<const Snapshot> before = registry_.store().snapshot();
  if (Status unique = check_unique(*before, descriptor.name, {}); !unique) co_return fail(unique.error());

  auto work = std::make_shared<Work>(std::move(descriptor), fail(ErrorKind::kInternal, "not read"));
  std::function<void()> read = [work, directory = module_directory_] {
    work->content = read_module_file(work->descriptor.file_path, directory);
    if (work->content) work->sha256_hex = platform::sha256_hex(*work->content);
  };
  co_await files_.run(std::move(read), loop);
  if (!work->content) co_return fail(work->content.error());
  before = registry_.store().snapshot();
  if (Status unique = check_unique(*before, work->descriptor.name, work->sha256_hex); !unique)
    co_return fail(unique.error());

  Status compiled = co_await compile(work, loop);
  if (!compiled) co_return fail(std::move(compiled.error()));
  std::function<void()> add = [work, &registry = registry_] { work->added = registry.add(work->candidate()); };
  co_await files_.run(std::move(add), loop);
  if (!work->added) co_return fail(std::move(work->added.error()));
  co_return (*work->added)->uuid;
}

Task<Result<PutResult>> Deployer::put(Place place, Descriptor descriptor, std::string wasm, Loop& loop) {
  Place held = std::move(place);
  Status checked = check_module_name(descriptor.name);
  if (checked) checked = check_options(descriptor.options);
  if (!checked) co_return fail(std::move(checked.error()));

  auto work = std::make_shared<Work>(std::move(descriptor), std::move(wasm));
  std::function<void()> hash = [work] { work->sha256_hex = platform::sha256_hex(*work->content); };
  co_await files_.run(std::move(hash), loop);
  std::shared_ptr<const Snapshot> before = registry_.store().snapshot();
  if (auto same = Registry::find_same(*before, work->descriptor, work->sha256_hex))
    co_return PutResult{PutKind::kUnchanged, std::move(same)};

  Status compiled = co_await compile(work, loop);
  if (!compiled) co_return fail(std::move(compiled.error()));
  std::function<void()> put = [work, &registry = registry_] { work->put = registry.put(work->candidate()); };
  co_await files_.run(std::move(put), loop);
  co_return std::move(work->put);
}

Task<Status> Deployer::remove(std::string uuid, Loop& loop) {
  unsigned before = removals_.fetch_add(1, std::memory_order_relaxed);
  Place place(removals_);
  if (before >= kRemovalsMax)
    co_return fail(ErrorKind::kOverloaded, fmt::format("{} modules are being removed; try again", kRemovalsMax));
  auto removed = std::make_shared<Status>();
  std::function<void()> remove = [removed, uuid = std::move(uuid), &registry = registry_] {
    *removed = registry.remove(uuid);
  };
  co_await files_.run(std::move(remove), loop);
  co_return std::move(*removed);
}

}  // namespace sandgate::modules
