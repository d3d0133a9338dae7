// SPDX-License-Identifier: Apache-2.0
//
// What a guest reaches of its host: the log, under its module's name and the id of the request it works for, and the
// key-value stores that its module was granted.
#pragma once

#include <string_view>

#include "capability/key_value/state.h"
#include "modules/guest_log.h"
#include "modules/module_store.h"
#include "sandbox/instance_host.h"

namespace sandgate::gateway {

// Of the process. All outlive the guests.
struct GuestServices {
  modules::GuestLog& log;
  capability::State& key_value;
};

// One instance's. Loop thread only; stays where it is made, as long as the instance, as `services` and `module` do.
class GuestContext final : public sandbox::InstanceHost {
 public:
  // `loop`: the index of the one that runs its calls.
  GuestContext(const GuestServices& services, const modules::DeployedModule& module, unsigned loop)
      : services_(services), module_(module), loop_(loop) {}
  GuestContext(const GuestContext&) = delete;
  GuestContext& operator=(const GuestContext&) = delete;

  // The request of the call that begins; the text must live until the call has ended.
  void begin_call(std::string_view request_id) { request_id_ = request_id; }
  void end_call() { request_id_ = {}; }

  void line(const sandbox::GuestLine& line) noexcept override;
  void key_value(const sandbox::KeyValueRequest& request, sandbox::KeyValueCompletion completion) noexcept override;

 private:
  const GuestServices& services_;
  const modules::DeployedModule& module_;
  const unsigned loop_;
  std::string_view request_id_;
};

}  // namespace sandgate::gateway
