// SPDX-License-Identifier: Apache-2.0
//
// Deploys, replaces and removes modules while the server runs: checks the descriptor, reads and hashes the content on a
// thread of its own, compiles through sandbox::Compiler, checks that the module serves what it is attached to, and
// hands it to the registry on that thread. Nothing of that blocks a loop, and whoever was told of a success finds it
// after a crash. Thread-safe; made before the loops run. Its thread ends with it, after the job it is at.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"
#include "modules/descriptor.h"
#include "modules/file_thread.h"
#include "modules/registry.h"
#include "sandbox/compiler.h"

namespace sandgate::modules {

class Deployer {
 public:
  // Deployments at one time. Each may hold kModuleBytesMax of a file in memory; people deploy one after the other.
  static constexpr unsigned kDeploymentsMax = 4;
  // Removals at one time; each is a row on disk and holds no memory.
  static constexpr unsigned kRemovalsMax = 64;

  // One of so many; given back when it ends. Not longer than the deployer.
  class Place {
   public:
    Place(Place&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (taken_ != nullptr) taken_->fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    friend class Deployer;
    explicit Place(std::atomic<unsigned>& taken) : taken_(&taken) {}
    std::atomic<unsigned>* taken_;
  };

  // `registry` and `compiler` outlive the deployer. `module_directory`: files must lie in it; empty: anywhere.
  Deployer(Registry& registry, sandbox::Compiler& compiler, std::string module_directory);

  // The UUID of the module that was added; the Task resumes on `loop`, the caller's. Of several deployments with one
  // name or one content the first to finish compiling wins. Errors, with a detail for the person who deploys: what
  // check_descriptor and read_module_file say, kInvalid (name or content deployed already, no valid component, an
  // attach point that no export serves), kOverloaded (kDeploymentsMax are under way), what the compiler says, and
  // kInternal (it cannot be kept on disk).
  Task<Result<std::string>> deploy(Descriptor descriptor, Loop& loop);

  // As Registry::accepts_changes.
  Status accepts_changes() const { return registry_.accepts_changes(); }
  // A place for a deployment whose content is still to come: taken before that is in memory. kOverloaded.
  Result<Place> enter();
  // Deploys `wasm` under the descriptor's name, in the place of the module that has it. As Registry::put and deploy();
  // the descriptor's path is not used.
  Task<Result<PutResult>> put(Place place, Descriptor descriptor, std::string wasm, Loop& loop);

  // As Registry::remove; kOverloaded when kRemovalsMax are under way.
  Task<Status> remove(std::string uuid, Loop& loop);

 private:
  struct Work;  // one content on its way

  Task<Status> compile(std::shared_ptr<Work> work, Loop& loop);

  Registry& registry_;
  sandbox::Compiler& compiler_;
  const std::string module_directory_;
  std::atomic<unsigned> deployments_{0};
  std::atomic<unsigned> removals_{0};
  FileThread files_;  // the last member: its jobs use the others
};

}  // namespace sandgate::modules
