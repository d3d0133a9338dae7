// SPDX-License-Identifier: Apache-2.0
//
// Every subcommand but serve and demo, as CLI11 has them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace sandgate::cli {

class Subcommands {
 public:
  explicit Subcommands(CLI::App& app);
  ~Subcommands();
  Subcommands(const Subcommands&) = delete;
  Subcommands& operator=(const Subcommands&) = delete;

  // The exit code of the subcommand that was parsed; nothing when none of these was.
  std::optional<int> run() const;

 private:
  struct Lines;
  void add_check(CLI::App& app);
  void add_explain(CLI::App& app);
  void add_modules(CLI::App& app);
  void add_control(CLI::App& app);
  void add_new(CLI::App& app);
  void add_completion(CLI::App& app);

  std::unique_ptr<Lines> lines_;
  std::vector<std::pair<CLI::App*, std::function<int()>>> commands_;
};

}  // namespace sandgate::cli
