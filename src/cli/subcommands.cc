// SPDX-License-Identifier: Apache-2.0
#include "cli/subcommands.h"

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/control_command.h"
#include "cli/modules_command.h"
#include "cli/new_command.h"

namespace sandgate::cli {

struct Subcommands::Lines {
  CheckOptions check;
  ExplainOptions explain;
  ModulesOptions modules;
  ControlOptions control;
  NewOptions project;
};

Subcommands::Subcommands(CLI::App& app) : lines_(std::make_unique<Lines>()) {
  add_check(app);
  add_explain(app);
  add_modules(app);
  add_control(app);
  add_new(app);
  add_completion(app);
}

Subcommands::~Subcommands() = default;

void Subcommands::add_check(CLI::App& app) {
  CheckOptions& line = lines_->check;
  CLI::App* command = app.add_subcommand(
      "check",
      "tell what a module is, what it needs and where it can be attached; or what is wrong in a configuration");
  command->add_option("FILE", line.file, "a .wasm file (component or core module), or a configuration file")
      ->required();
  command->add_flag("--json", line.json, "print kind, imports, exports and attach_points as JSON");
  commands_.emplace_back(command, [this] { return check(lines_->check); });
}

void Subcommands::add_explain(CLI::App& app) {
  ExplainOptions& line = lines_->explain;
  CLI::App* command = app.add_subcommand("explain", "tell which route a request takes, through which modules, and why");
  command->add_option("--config", line.file, "the configuration file")->required();
  command->add_option("METHOD", line.method)->required();
  command->add_option("URL", line.url, "an absolute URL, or a path")->required();
  command->add_option("-H,--header", line.fields, "a field as \"Name: value\"; repeatable")->allow_extra_args(false);
  commands_.emplace_back(command, [this] { return explain(lines_->explain); });
}

void Subcommands::add_modules(CLI::App& app) {
  ModulesOptions& line = lines_->modules;
  CLI::App* command = app.add_subcommand("modules", "deploy, list, show and remove modules of a running gateway");
  command->require_subcommand(1);
  command->fallthrough();
  command->add_option("--server", line.server.server, "the gateway, as HOST:PORT or unix:/path")->capture_default_str();
  command->add_option("--admin-token", line.server.token, "bearer token")->envname("SANDGATE_ADMIN_TOKEN");
  command->add_flag("--json", line.json, "print what the gateway answered");
  auto add = [&](const char* name, const char* about, int (*run)(const ModulesOptions&)) {
    CLI::App* sub = command->add_subcommand(name, about);
    commands_.emplace_back(sub, [this, run] { return run(lines_->modules); });
    return sub;
  };
  CLI::App* deploy = add("deploy", "deploy a module, or replace the one of this name", &deploy_module);
  deploy->add_option("NAME", line.name)->required();
  deploy->add_option("FILE", line.file, "a .wasm file of this machine")->required();
  deploy->add_option("--attach", line.attach, "OnRequest, OnResponse, OnError; several with commas")
      ->delimiter(',')
      ->required();
  deploy->add_option("--on-failure", line.on_failure, "closed or open");
  deploy->add_option("--instance", line.instance, "fresh, exchange or reuse");
  deploy->add_flag("--no-body", line.no_body, "the module sees no bodies, and nothing is buffered for it");
  deploy->add_option("--allow-key-value", line.key_value, "a store that it may open; repeatable")
      ->allow_extra_args(false);
  deploy->add_option("--config", line.config, "a setting as NAME=VALUE; repeatable")->allow_extra_args(false);
  add("list", "list the modules in their order", &list_modules);
  add("show", "show one module", &show_module)->add_option("NAME", line.name)->required();
  add("remove", "remove a module; running calls finish", &remove_module)->add_option("NAME", line.name)->required();
}

void Subcommands::add_control(CLI::App& app) {
  ControlOptions& line = lines_->control;
  auto group = [&](const char* name, const char* about) {
    CLI::App* command = app.add_subcommand(name, about);
    command->fallthrough();
    command->add_option("--server", line.server.server, "the gateway, as HOST:PORT or unix:/path")
        ->capture_default_str();
    command->add_option("--admin-token", line.server.token, "bearer token")->envname("SANDGATE_ADMIN_TOKEN");
    command->add_flag("--json", line.json, "print what the gateway answered");
    return command;
  };
  auto add = [&](CLI::App* command, const char* name, const char* about, int (*run)(const ControlOptions&)) {
    CLI::App* sub = command->add_subcommand(name, about);
    commands_.emplace_back(sub, [this, run] { return run(lines_->control); });
    return sub;
  };
  CLI::App* config = group("config", "show the configuration of a running gateway, or load its file again");
  config->require_subcommand(1);
  add(config, "show", "print what serves, as JSON", &show_config);
  add(config, "reload", "load the file again; a bad one changes nothing", &reload_config);

  CLI::App* upstreams = group("upstreams", "list, drain and weigh the servers behind a running gateway");
  upstreams->require_subcommand(1);
  add(upstreams, "list", "list the servers and how they are", &list_upstreams);
  auto add_server = [&](CLI::App* sub) {
    sub->add_option("UPSTREAM", line.upstream)->required();
    sub->add_option("SERVER", line.authority, "HOST:PORT")->required();
    return sub;
  };
  add_server(add(upstreams, "drain", "send no new requests to a server", &drain_server));
  add_server(add(upstreams, "undrain", "send requests to it again", &undrain_server));
  add_server(add(upstreams, "weight", "give a server another share", &weigh_server))
      ->add_option("WEIGHT", line.weight, "1 to 256")
      ->required();

  CLI::App* level = group("log-level", "show or change the log level of a running gateway");
  level->add_option("LEVEL", line.level, "debug, info, warning, error or off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}));
  commands_.emplace_back(level, [this] { return log_level(lines_->control); });
}

void Subcommands::add_new(CLI::App& app) {
  CLI::App* command = app.add_subcommand("new", "begin a project");
  command->require_subcommand(1);
  CLI::App* middleware =
      command->add_subcommand("middleware", "a folder NAME with middleware in C++ that builds at once");
  middleware->add_option("NAME", lines_->project.name)->required();
  commands_.emplace_back(middleware, [this] { return new_middleware(lines_->project); });
}

void Subcommands::add_completion(CLI::App& app) {
  CLI::App* command = app.add_subcommand("completion", "print a completion script for bash");
  commands_.emplace_back(command, [&app] { return print_completion(app); });
}

std::optional<int> Subcommands::run() const {
  for (const auto& [command, run] : commands_) {
    if (command->parsed()) return run();
  }
  return std::nullopt;
}

}  // namespace sandgate::cli
