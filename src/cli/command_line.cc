// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "cli/print_config.h"
#include "cli/serve_line.h"
#include "cli/subcommands.h"
#include "platform/log.h"
#include "version.h"

namespace sandgate::cli {
namespace {

int run_serve(const ServeLine& line) {
  config::Effective effective = line.load();
  for (const std::string& mistake : effective.mistakes) fmt::print(stderr, "{}\n", mistake);
  if (!effective.mistakes.empty()) return kExitUsage;
  log::set_level(effective.settings.log_level);
  if (line.wants_print()) {
    fmt::print("{}\n", config_json(effective.settings, *effective.manifest));
    return kExitOk;
  }
  return serve(effective, line);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("HTTP gateway whose plugins are sandboxed WebAssembly guests", "sandgate");
  app.set_version_flag("--version", fmt::format("sandgate {} ({})", kVersion, kRevision));
  app.require_subcommand(1);
  app.get_formatter()->column_width(36);

  ServeLine line(app, argc, argv);

  DemoOptions demo_options;
  CLI::App* demo_command =
      app.add_subcommand("demo", "run a worker, a gateway and the examples, with curl lines to try");
  demo_command->add_option("--port", demo_options.port, "port of the gateway")->capture_default_str();
  demo_command->add_flag("--check", demo_options.check, "run the curl lines, print what they show, and exit");

  Subcommands others(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    int code = app.exit(failure);
    return code == 0 ? kExitOk : kExitUsage;
  }
  if (line.parsed()) return run_serve(line);
  if (std::optional<int> code = others.run()) return *code;
  return demo(demo_options);
}

}  // namespace sandgate::cli
