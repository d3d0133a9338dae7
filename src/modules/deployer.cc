// SPDX-License-Identifier: Apache-2.0
#include "modules/deployer.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "platform/clock.h"
#include "platform/digest.h"
#include "platform/entropy.h"

namespace sandgate::modules {
namespace {

constexpr std::string_view kMagic{"\0asm", 4};
constexpr std::string_view kInvalidComponent = "Invalid WASM component: ";
constexpr std::string_view kHint =
    ". Hint: the file must be in the component format; a core module becomes a component by: "
    "wasm-tools component new module.wasm -o module.component.wasm";

std::unexpected<Error> invalid_component(std::string_view why, std::string cause) {
  std::string detail;
  if (!why.starts_with(kInvalidComponent)) detail += kInvalidComponent;
  detail += why;
  // A refused import has nothing to do with the format, and some texts have the hint already.
  bool about_format = why.find("import") == std::string_view::npos && why.find("wasm-tools") == std::string_view::npos;
  if (about_format) detail += kHint;
  return fail(ErrorKind::kInvalid, std::move(detail), std::move(cause));
}

// OnError shows a module the gateway's own answer through on-response.
Status check_served(const sandbox::Module& module, AttachPoint point) {
  bool on_request = point == AttachPoint::kOnRequest;
  if (on_request ? module.serves_on_request() : module.serves_on_response()) return {};
  std::string_view direction = on_request ? "request" : "response";
  return fail(
      ErrorKind::kInvalid,
      fmt::format("Attach point {0} needs the export sgl:router/middleware-on-{1} with the function on-{1}, which "
                  "the component lacks (the packages sgl:model-gateway and smg:gateway serve as well). Hint: build "
                  "it with a world that exports middleware-on-{1}, or leave {0} out",
                  attach_point_name(point), direction));
}

sandbox::Grants grants_of(const ModuleOptions& options) {
  return {.key_value = !options.key_value.empty(), .config = options.config};
}

std::vector<AttachPoint> without_repeats(const std::vector<AttachPoint>& points) {
  std::vector<AttachPoint> out;
  for (AttachPoint point : points) {
    if (std::ranges::find(out, point) == out.end()) out.push_back(point);
  }
  return out;
}

}  // namespace

// Shared by the waiting coroutine and the reader's thread, so that either may end first.
struct Deployer::Reading {
  std::string path;
  Loop* loop = nullptr;
  Result<std::string> content;
  std::string sha256_hex;
  Event done;  // set on the loop
};

Deployer::Deployer(ModuleStore& store, sandbox::Compiler& compiler, std::string module_directory)
    : store_(store),
      compiler_(compiler),
      module_directory_(std::move(module_directory)),
      reader_([this] { read_files(); }) {}

Deployer::~Deployer() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  reader_.join();
}

void Deployer::read_files() {
  while (true) {
    std::shared_ptr<Reading> reading;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (ending_) return;
      reading = std::move(queue_.front());
      queue_.pop_front();
    }
    reading->content = read_module_file(reading->path, module_directory_);
    if (reading->content) reading->sha256_hex = platform::sha256_hex(*reading->content);
    Loop& loop = *reading->loop;
    loop.post([reading = std::move(reading)] { reading->done.set(); });
  }
}

Task<Result<std::string>> Deployer::deploy(Descriptor descriptor, Loop& loop) {
  if (Status checked = check_descriptor(descriptor); !checked) co_return fail(checked.error());
  if (under_way_.fetch_add(1, std::memory_order_relaxed) >= kDeploymentsMax) {
    under_way_.fetch_sub(1, std::memory_order_relaxed);
    co_return fail(ErrorKind::kOverloaded,
                   fmt::format("{} modules are being deployed at this moment; try again", kDeploymentsMax));
  }
  Result<std::string> uuid = co_await deploy_counted(std::move(descriptor), loop);
  under_way_.fetch_sub(1, std::memory_order_relaxed);
  co_return uuid;
}

Task<Result<std::string>> Deployer::deploy_counted(Descriptor descriptor, Loop& loop) {
  // Checked early to save the work, and again by the store, which decides.
  std::shared_ptr<const Snapshot> before = store_.snapshot();
  if (Status unique = check_unique(*before, descriptor.name, {}); !unique) co_return fail(unique.error());

  auto reading = std::make_shared<Reading>();
  reading->path = descriptor.file_path;
  reading->loop = &loop;
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(reading);
  }
  changed_.notify_one();
  co_await reading->done.wait();
  if (!reading->content) co_return fail(reading->content.error());
  const std::string& wasm = *reading->content;
  if (!wasm.starts_with(kMagic))
    co_return invalid_component("the file does not begin with the bytes of a wasm binary", {});
  before = store_.snapshot();
  if (Status unique = check_unique(*before, descriptor.name, reading->sha256_hex); !unique)
    co_return fail(unique.error());

  // `wasm` lives in `reading`, which this frame holds.
  Result<std::shared_ptr<const sandbox::Module>> compiled =
      co_await compiler_.compile(wasm, reading->sha256_hex, grants_of(descriptor.options), loop);
  if (!compiled) {
    const Error& error = compiled.error();
    if (error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kDenied)
      co_return invalid_component(error.detail, error.cause);
    co_return fail(error);
  }
  for (AttachPoint point : descriptor.attach_points) {
    if (Status served = check_served(**compiled, point); !served) co_return fail(served.error());
  }

  auto module = std::make_shared<DeployedModule>();
  module->uuid = platform::make_uuid();
  module->name = std::move(descriptor.name);
  module->file_path = std::move(descriptor.file_path);
  module->sha256_hex = reading->sha256_hex;
  module->size_bytes = wasm.size();
  module->created_unix_ns = platform::unix_now_ns();
  module->attach_points = without_repeats(descriptor.attach_points);
  module->options = std::move(descriptor.options);
  module->module = std::move(*compiled);
  std::string uuid = module->uuid;
  if (Status added = store_.add(std::move(module)); !added) co_return fail(added.error());
  co_return uuid;
}

}  // namespace sandgate::modules
