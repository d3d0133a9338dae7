// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/demo_module.h"
#include "cli/demo_steps.h"
#include "cli/demo_worker.h"
#include "cli/signals.h"
#include "platform/file.h"
#include "platform/log.h"
#include "server/server.h"

namespace sandgate::cli {
namespace {

// A folder of its own for the modules' files; gone with the demo.
class ModuleFolder {
 public:
  static Result<ModuleFolder> create() {
    const char* temporary = ::getenv("TMPDIR");
    std::string path = std::string(temporary != nullptr ? temporary : "/tmp") + "/sandgate-demo-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return fail(ErrorKind::kInternal, "no temporary folder can be made", path);
    ModuleFolder folder(path);
    for (const DemoModule& module : demo_modules()) {
      Status wrote = platform::write_file_atomically(folder.file(module), module.wasm, 0600);
      if (!wrote) return fail(std::move(wrote.error()));
    }
    return folder;
  }
  ModuleFolder(ModuleFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ModuleFolder& operator=(ModuleFolder&&) = delete;
  ~ModuleFolder() {
    if (path_.empty()) return;
    for (const DemoModule& module : demo_modules()) ::unlink(file(module).c_str());
    ::rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  explicit ModuleFolder(std::string path) : path_(std::move(path)) {}
  std::string file(const DemoModule& module) const { return path_ + "/" + std::string(module.name) + ".wasm"; }

  std::string path_;
};

int failed(const Error& error) {
  fmt::print(stderr, "sandgate demo: {}\n", error.detail);
  if (!error.cause.empty()) fmt::print(stderr, "  cause: {}\n", error.cause);
  return kExitFailed;
}

Result<std::unique_ptr<server::Server>> start_gateway(const DemoOptions& options, const DemoWorker& worker) {
  config::Settings settings;
  settings.port = options.check ? 0 : options.port;
  settings.threads = 1;
  settings.worker_urls = {"http://" + worker.address().text()};
  settings.enable_wasm = true;
  settings.access_log = options.check ? telemetry::AccessLogFormat::kOff : telemetry::AccessLogFormat::kText;
  Result<std::unique_ptr<server::Server>> gateway = server::Server::start(settings);
  if (gateway || settings.port == 0) return gateway;
  fmt::print("port {} is taken; another one is used\n", settings.port);
  settings.port = 0;
  return server::Server::start(settings);
}

}  // namespace

int demo(const DemoOptions& options) {
  block_signals();
  log::set_level(options.check ? log::Level::kWarning : log::Level::kInfo);
  Result<std::unique_ptr<DemoWorker>> worker = DemoWorker::start();
  if (!worker) return failed(worker.error());
  Result<ModuleFolder> modules = ModuleFolder::create();
  if (!modules) return failed(modules.error());
  Result<std::unique_ptr<server::Server>> gateway = start_gateway(options, **worker);
  if (!gateway) return failed(gateway.error());

  std::string url = "http://" + (*gateway)->address().text();
  fmt::print(
      "worker   http://{}  (answers with what it saw)\ngateway  {}\nmodules  {}  (examples/: auth, logging, "
      "ratelimit)\n\n",
      (*worker)->address().text(), url, modules->path());
  if (options.check) return check_demo(url, modules->path());

  std::optional<std::string> uuid = deploy_demo(url, modules->path());
  if (!uuid) return kExitFailed;
  fmt::print("\nTry it in another terminal:\n\n");
  for (const DemoStep& step : demo_steps(url, modules->path())) {
    if (!step.deploys) fmt::print("  # {}\n  {}\n\n", step.shows, with_uuid(step.command, *uuid));
  }
  fmt::print("Ctrl-C ends the demo.\n");
  std::fflush(stdout);
  while (wait_for_signal(std::chrono::hours(1)) == Signal::kNone) {}
  return kExitOk;
}

}  // namespace sandgate::cli
