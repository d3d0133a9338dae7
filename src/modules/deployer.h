// SPDX-License-Identifier: Apache-2.0
//
// Deploys modules into a store: checks the descriptor, reads and hashes the file on a thread of its own, compiles
// through sandbox::Compiler, checks that the module serves what it is attached to, and adds it. Nothing of that blocks
// a loop. Thread-safe; made before the loops run. Its thread ends with it, after the file it reads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "modules/descriptor.h"
#include "modules/module_store.h"
#include "sandbox/compiler.h"

namespace sandgate::modules {

class Deployer {
 public:
  // Deployments at one time. Each may hold kModuleBytesMax of a file in memory; people deploy one after the other.
  static constexpr unsigned kDeploymentsMax = 4;

  // `store` and `compiler` outlive the deployer. `module_directory`: files must lie in it; empty: anywhere.
  Deployer(ModuleStore& store, sandbox::Compiler& compiler, std::string module_directory);
  ~Deployer();
  Deployer(const Deployer&) = delete;
  Deployer& operator=(const Deployer&) = delete;

  // The UUID of the module that was added; the Task resumes on `loop`, the caller's. Of several deployments with one
  // name or one content the first to finish compiling wins. Errors, with a detail for the person who deploys: what
  // check_descriptor and read_module_file say, kInvalid (name or content deployed already, no valid component, an
  // attach point that no export serves), kOverloaded (kDeploymentsMax are under way), and what the compiler says.
  Task<Result<std::string>> deploy(Descriptor descriptor, Loop& loop);

 private:
  struct Reading;  // one file on its way

  Task<Result<std::string>> deploy_counted(Descriptor descriptor, Loop& loop);
  void read_files();

  ModuleStore& store_;
  sandbox::Compiler& compiler_;
  const std::string module_directory_;
  std::atomic<unsigned> under_way_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Reading>> queue_;  // at most kDeploymentsMax
  bool ending_ = false;
  std::thread reader_;  // the last member: it uses the others
};

}  // namespace sandgate::modules
