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

// A folder of its own for the module file; gone with the demo.
class ModuleFile {
 public:
  static Result<ModuleFile> create() {
    const char* temporary = ::getenv("TMPDIR");
    std::string folder = std::string(temporary != nullptr ? temporary : "/tmp") + "/sandgate-demo-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr)
      return fail(ErrorKind::kInternal, "no temporary folder can be made", folder);
    ModuleFile file(folder);
    Status wrote = platform::write_file_atomically(file.path(), demo_module(), 0600);
    if (!wrote) return fail(std::move(wrote.error()));
    return file;
  }
  ModuleFile(ModuleFile&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  ModuleFile& operator=(ModuleFile&&) = delete;
  ~ModuleFile() {
    if (folder_.empty()) return;
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/auth.wasm"; }

 private:
  explicit ModuleFile(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

int failed(const Error& error) {
  fmt::print(stderr, "sandgate demo: {}\n", error.detail);
  if (!error.cause.empty()) fmt::print(stderr, "  cause: {}\n", error.cause);
  return kExitFailed;
}

Result<std::unique_ptr<server::Server>> start_gateway(const DemoOptions& options, const DemoWorker& worker) {
  server::Settings settings;
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
  Result<ModuleFile> module = ModuleFile::create();
  if (!module) return failed(module.error());
  Result<std::unique_ptr<server::Server>> gateway = start_gateway(options, **worker);
  if (!gateway) return failed(gateway.error());

  std::string url = "http://" + (*gateway)->address().text();
  fmt::print(
      "worker   http://{}  (answers with what it saw)\ngateway  {}\nmodule   {}  (examples/auth: an API key for /v1 "
      "and /api)\n\n",
      (*worker)->address().text(), url, module->path());
  if (options.check) return check_demo(url, module->path());

  std::optional<std::string> uuid = deploy_demo(url, module->path());
  if (!uuid) return kExitFailed;
  fmt::print("\nTry it in another terminal:\n\n");
  for (const DemoStep& step : demo_steps(url, module->path())) {
    if (!step.deploys) fmt::print("  # {}\n  {}\n\n", step.shows, with_uuid(step.command, *uuid));
  }
  fmt::print("Ctrl-C ends the demo.\n");
  std::fflush(stdout);
  while (wait_for_signal(std::chrono::hours(1)) == Signal::kNone) {}
  return kExitOk;
}

}  // namespace sandgate::cli
