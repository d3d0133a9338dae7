// SPDX-License-Identifier: Apache-2.0
//
// What tests with real guests share: one engine for the test program, modules compiled in this process and kept, a fake
// loop with its run queue. Test thread only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/cancellation.h"
#include "sandbox/engine.h"
#include "sandbox/engine_error.h"
#include "sandbox/instance.h"
#include "sandbox/instance_host.h"
#include "sandbox/module.h"
#include "sandbox/run_queue.h"
#include "sandgate_engine.h"
#include "tests/support/fake_loop.h"
#include "tests/support/paths.h"

namespace sandgate::sandbox::testing {

// The engine is not instrumented: ThreadSanitizer sees neither its locks nor its stacks, and would report all of it.
#if defined(__has_feature) && __has_feature(thread_sanitizer)
inline constexpr bool kGuestsRun = false;
#else
inline constexpr bool kGuestsRun = true;
#endif

// For tests that compile or run guests.
class GuestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!kGuestsRun) GTEST_SKIP() << "guests do not run under ThreadSanitizer";
  }
};

// Keeps lines of guest output and what was asked of stores; answers as the test says.
class CollectingHost final : public InstanceHost {
 public:
  void line(const GuestLine& line) noexcept override {
    lines.push_back((line.source == LineSource::kStderr ? "stderr: " : "stdout: ") + std::string(line.text));
  }
  void key_value(const KeyValueRequest&, KeyValueCompletion completion) noexcept override {
    completion.finish({.status = KeyValueStatus::kNoSuchStore});
  }

  std::vector<std::string> lines;
};

inline constexpr std::uint32_t kTestInstances = 8;

// Outlives every test of the program.
inline std::shared_ptr<Engine> test_engine() {
  static std::shared_ptr<Engine> engine = [] {
    EngineOptions options;
    options.instances_max = kTestInstances;
    Result<std::unique_ptr<Engine>> made = Engine::create(options);
    SANDGATE_CHECK(made.has_value());
    Engine::initialise_thread();
    return std::shared_ptr<Engine>(std::move(*made));
  }();
  return engine;
}

// Native code of a guest of tests/guests: what the compiler process would return.
inline const std::string& test_code(const std::string& guest) {
  static std::map<std::string, std::string> kept;
  if (auto found = kept.find(guest); found != kept.end()) return found->second;
  std::string wasm = test::read_guest(guest);
  sg_code* code = nullptr;
  sg_error* error = ::sg_compile(test_engine()->handle(), to_bytes(wasm), &code);
  SANDGATE_CHECK(error == nullptr);
  std::string bytes(to_text(::sg_code_bytes(code)));
  ::sg_code_drop(code);
  return kept.emplace(guest, std::move(bytes)).first->second;
}

inline std::shared_ptr<const Module> test_module(const std::string& guest) {
  static std::map<std::string, std::shared_ptr<const Module>> kept;
  std::shared_ptr<const Module>& module = kept[guest];
  if (module == nullptr) module = Module::load(test_engine(), test_code(guest)).value();
  return module;
}

// A loop with its queue. Ends what is left before the queue goes.
class GuestLoop {
 public:
  explicit GuestLoop(unsigned index = 0) : loop(index), queue(RunQueue::create(*test_engine(), loop)) {}
  ~GuestLoop() { loop.run_until_idle(); }

  Instance instance(const std::string& guest, const Budget& budget = {}, InstanceHost* host = nullptr) {
    std::expected<Instance, GuestFailure> made = Instance::create(*test_module(guest), budget, *queue, host);
    SANDGATE_CHECK(made.has_value());
    return std::move(*made);
  }

  test::FakeLoop loop;
  std::unique_ptr<RunQueue> queue;
};

// on-request with a small record, at the level of this folder: which action came is the business of src/abi.
class RequestCall {
 public:
  RequestCall(GuestLoop& on, Instance instance_to_run) : on_(on), instance_(std::move(instance_to_run)) {
    request_.method = to_bytes("GET");
    request_.path = to_bytes("/");
    request_.request_id = to_bytes("test");
  }
  RequestCall(const RequestCall&) = delete;
  RequestCall& operator=(const RequestCall&) = delete;
  ~RequestCall() {
    cancellation.cancel(ErrorKind::kDisconnected, "the test ended");
    on_.loop.run_until([this] { return !running_; });
  }

  // Starts the call; it may have ended when this returns.
  void start() {
    running_ = true;
    sg_error* error = ::sg_instance_start_on_request(instance_.handle(), &request_);
    SANDGATE_CHECK(error == nullptr);
    run(*this);
  }
  // Until the end, with a loop that turns.
  const std::expected<void, GuestFailure>& finish() {
    SANDGATE_CHECK(on_.loop.run_until([this] { return !running_; }));
    return *outcome;
  }
  bool ended() const { return outcome.has_value(); }
  FailureKind failure() const { return outcome->has_value() ? FailureKind::kInternal : outcome->error().kind; }
  Instance& instance() { return instance_; }

  Cancellation cancellation;
  std::optional<std::expected<void, GuestFailure>> outcome;

 private:
  static Detached run(RequestCall& call) {
    std::expected<void, GuestFailure> outcome = co_await call.on_.queue->run(call.instance_, call.cancellation);
    call.outcome = std::move(outcome);
    call.running_ = false;
  }

  GuestLoop& on_;
  Instance instance_;
  sg_request request_{};
  bool running_ = false;
};

}  // namespace sandgate::sandbox::testing
