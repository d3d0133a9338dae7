// SPDX-License-Identifier: Apache-2.0
//
// The flags of `sandgate serve` and the configuration file that they stand over. Loaded again for every reload: flags
// override the file each time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/manifest.h"
#include "config/settings.h"

namespace CLI {
class App;
}

namespace sandgate::cli {

class ServeLine {
 public:
  // Adds the command to `app`, which parses these words afterwards and outlives this.
  ServeLine(CLI::App& app, int argc, char** argv);
  ~ServeLine();

  bool parsed() const;
  bool wants_print() const;
  // Reads the file, if there is one. Blocking. After the words were parsed.
  config::Effective load() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandgate::cli
