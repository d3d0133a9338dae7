// SPDX-License-Identifier: Apache-2.0
//
// A compiled and linked module. Immutable, shared by all loops; instances keep it alive.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sandbox/engine.h"

struct sg_module;

namespace sandgate::sandbox {

// The powers of a module beyond the powerless world that all have: what is not granted is not linked.
struct Grants {
  bool key_value = false;  // wasi:keyvalue; which stores is decided when one is opened
  // wasi:config: the settings, when granted.
  std::optional<std::vector<std::pair<std::string, std::string>>> config{};
};

class Module {
 public:
  // `code` is what the compiler made with an engine of the same fingerprint: native code, so only from our own cache or
  // child process. The bytes may be freed afterwards. kInvalid with a text for the person who deploys when no guest ABI
  // is recognised, kDenied when an import is not granted.
  static Result<std::shared_ptr<const Module>> load(std::shared_ptr<Engine> engine, std::string_view code,
                                                    const Grants& grants = {});
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
