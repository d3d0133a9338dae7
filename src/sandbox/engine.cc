// SPDX-License-Identifier: Apache-2.0
#include "sandbox/engine.h"

#include <fmt/core.h>

#include <array>
#include <atomic>
#include <optional>

#include "base/check.h"
#include "sandbox/engine_error.h"
#include "sandbox/host_calls.h"
#include "sandbox/swap.h"
#include "sandbox/ticker.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {
namespace {

class EngineImpl final : public Engine {
 public:
  explicit EngineImpl(std::string description) : description_(std::move(description)) {}
  ~EngineImpl() override {
    ticker_.reset();
    ::sg_engine_drop(engine_);
  }

  sg_error* start(sg_engine_config config, bool with_ticker) {
    config.wake = [](void* user, std::uint64_t token) { static_cast<EngineImpl*>(user)->wake(token); };
    config.wake_user = this;
    config.log = on_guest_line;
    config.key_value = on_guest_key_value;
    if (sg_error* error = ::sg_engine_new(&config, &engine_)) return error;
    if (with_ticker) ticker_.emplace([engine = engine_] { ::sg_engine_tick(engine); });
    return nullptr;
  }

  void attach_loop(Loop& loop) override {
    SANDGATE_CHECK(loop.index() < kLoopsMax);
    loops_[loop.index()].store(&loop, std::memory_order_release);
  }

  std::string_view fingerprint() const override { return to_text(::sg_engine_fingerprint(engine_)); }
  std::string_view description() const override { return description_; }
  sg_engine* handle() const override { return engine_; }
  Ticker* ticker() override { return ticker_ ? &*ticker_ : nullptr; }

  void set_wake_target(unsigned loop_index, WakeTarget* target) override { targets_[loop_index] = target; }
  WakeTarget* wake_target(unsigned loop_index) const override { return targets_[loop_index]; }

 private:
  // From any thread: the way of a token back to its loop. The job is small enough to be posted without an allocation of
  // std::function's.
  void wake(std::uint64_t token) {
    auto index = static_cast<unsigned>(token >> kTokenIndexShift);
    if (index >= kLoopsMax) return;
    Loop* loop = loops_[index].load(std::memory_order_acquire);
    if (loop == nullptr) return;
    loop->post([this, token] {
      if (WakeTarget* target = targets_[token >> kTokenIndexShift]) target->wake(token);
    });
  }

  std::string description_;
  sg_engine* engine_ = nullptr;
  std::optional<Ticker> ticker_;
  std::array<std::atomic<Loop*>, kLoopsMax> loops_{};
  std::array<WakeTarget*, kLoopsMax> targets_{};  // each element belongs to the thread of its loop
};

std::string_view describe(Swap swap) {
  switch (swap) {
    case Swap::kNone: return "pagemap scan on (no swap)";
    case Swap::kForbidden: return "pagemap scan on (swap forbidden by control group)";
    case Swap::kPossible: return "pagemap scan off (memory may be swapped)";
  }
  return "";
}

std::string describe(const EngineOptions& options, Swap swap) {
  if (options.for_compiling) return "compiling only";
  return fmt::format("pooling, {} instances of at most {} KiB, stack {} KiB, {}", options.instances_max,
                     options.memory_bytes_max / 1024, options.stack_bytes / 1024, describe(swap));
}

std::unexpected<Error> not_started(const EngineOptions& options, sg_error* error) {
  bool refused = ::sg_error_get_kind(error) == SG_ERROR_UNSUPPORTED;
  std::string text(to_text(::sg_error_message(error)));
  ::sg_error_drop(error);
  if (refused) return fail(ErrorKind::kInvalid, text);
  return fail(ErrorKind::kInternal,
              fmt::format("the wasm engine could not start; if the system limits address space (ulimit -v), lower the "
                          "number of instances ({}) or raise the limit",
                          options.instances_max),
              text);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(const EngineOptions& options) {
  Swap swap = find_swap();
  auto engine = std::make_unique<EngineImpl>(describe(options, swap));
  sg_engine_config config{};
  config.memory_bytes_max = options.memory_bytes_max;
  config.instances_max = options.instances_max;
  config.stack_bytes = options.stack_bytes;
  config.pooling = !options.for_compiling;
  config.pagemap_scan = swap != Swap::kPossible;
  if (sg_error* error = engine->start(config, !options.for_compiling)) return not_started(options, error);
  return std::unique_ptr<Engine>(std::move(engine));
}

void Engine::initialise_thread() { ::sg_engine_thread_init(); }

}  // namespace sandgate::sandbox
