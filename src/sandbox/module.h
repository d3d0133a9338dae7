// SPDX-License-Identifier: Apache-2.0
//
// A compiled and linked module. Immutable, shared by all loops; instances keep it alive.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "sandbox/engine.h"

struct sg_module;

namespace sandgate::sandbox {

class Module {
 public:
  // `code` is what the compiler made with an engine of the same fingerprint: native code, so only from our own cache or
  // child process. The bytes may be freed afterwards. kInvalid with a text for the person who deploys when an import is
  // not granted or no guest ABI is recognised.
  static Result<std::shared_ptr<const Module>> load(std::shared_ptr<Engine> engine, std::string_view code);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // What the exports serve.
  bool serves_on_request() const;
  bool serves_on_response() const;

  sg_module* handle() const { return module_; }
  Engine& engine() const { return *engine_; }

 private:
  Module(std::shared_ptr<Engine> engine, sg_module* module) : engine_(std::move(engine)), module_(module) {}
  std::shared_ptr<Engine> engine_;
  sg_module* module_;
};

}  // namespace sandgate::sandbox
