// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <string>

#include "cli/commands.h"

namespace sandgate::cli {
namespace {

// What may follow: subcommands and flags.
std::string words(const CLI::App& app) {
  std::string out;
  for (const CLI::App* sub : app.get_subcommands({})) out += sub->get_name() + " ";
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out += "--" + name + " ";
  }
  return out;
}

void print_cases(const CLI::App& app, const std::string& path) {
  fmt::print("    '{}') words='{}' ;;\n", path, words(app));
  for (const CLI::App* sub : app.get_subcommands({})) {
    print_cases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name());
  }
}

}  // namespace

int print_completion(const CLI::App& app) {
  fmt::print(R"(# bash completion for sandgate: source <(sandgate completion)
_sandgate() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} path='' at words
  for ((at = 1; at < COMP_CWORD; ++at)); do
    [[ ${{COMP_WORDS[at]}} == -* ]] && break
    path+=${{path:+ }}${{COMP_WORDS[at]}}
  done
  case $path in
)");
  print_cases(app, "");
  fmt::print(R"(    *) words='' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ ${{#COMPREPLY[@]}} -gt 0 || $word == -* ]] || COMPREPLY=($(compgen -f -- "$word"))
}}
complete -F _sandgate sandgate
)");
  return kExitOk;
}

}  // namespace sandgate::cli
