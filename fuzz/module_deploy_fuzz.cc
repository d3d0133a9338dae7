// SPDX-License-Identifier: Apache-2.0
//
// Whole modules: inspected, deployed as PUT /wasm/NAME does it (validated, made into a component, rewritten, compiled,
// linked), and called once at each hook that they serve, within a small budget. Only the child process is left out:
// this one compiles. Whatever the bytes are, each step ends with a result or with a refusal that is the module's fault,
// never with an error of ours; the sandbox holds; what can be deployed can be inspected.
//
// The engine's Rust is not instrumented, so the mutator knows the format (wasm_mutator.h).

// fuzz-links: modules abi_router_middleware

// fuzz-options: -timeout=20 -mutate_depth=3

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "abi/router_middleware/calls.h"
#include "base/check.h"
#include "fuzz/wasm_mutator.h"
#include "modules/deployer.h"
#include "modules/module_store.h"
#include "sandbox/engine_error.h"
#include "sandbox/inspection.h"
#include "sandbox/instance_host.h"
#include "tests/support/fake_loop.h"

namespace {

using namespace sandgate;
using namespace std::chrono_literals;
namespace router = abi::router_middleware;

constexpr std::uint64_t kMemoryBytes = std::uint64_t{4} << 20;

// What the child process does, in this one.
class CompilerHere final : public sandbox::Compiler {
 public:
  explicit CompilerHere(std::shared_ptr<sandbox::Engine> engine) : engine_(std::move(engine)) {}

  Task<Result<std::shared_ptr<const sandbox::Module>>> compile(std::string_view wasm, std::string_view sha256_hex,
                                                               sandbox::Grants grants, Loop&) override {
    co_return compile_now(wasm, sha256_hex, grants);
  }
  Result<std::shared_ptr<const sandbox::Module>> compile_now(std::string_view wasm, std::string_view,
                                                             const sandbox::Grants& grants) override {
    sg_code* made = nullptr;
    sg_error* error = ::sg_compile(engine_->handle(), sandbox::to_bytes(wasm), &made);
    if (error != nullptr) return fail(sandbox::take_error(error));
    std::unique_ptr<sg_code, decltype(&::sg_code_drop)> code(made, &::sg_code_drop);
    return sandbox::Module::load(engine_, sandbox::to_text(::sg_code_bytes(made)), grants);
  }

 private:
  std::shared_ptr<sandbox::Engine> engine_;
};

// Lets a guest open any store, and answers everything at once with nothing.
class EmptyHost final : public sandbox::InstanceHost {
 public:
  void line(const sandbox::GuestLine& line) noexcept override {
    SANDGATE_CHECK(line.text.size() <= SG_LOG_LINE_BYTES_MAX && line.text.find('\n') == std::string_view::npos);
  }
  void key_value(const sandbox::KeyValueRequest& request, sandbox::KeyValueCompletion completion) noexcept override {
    SANDGATE_CHECK(request.keys.size() <= SG_KEY_VALUE_BATCH_MAX && request.values.size() <= SG_KEY_VALUE_BATCH_MAX);
    const std::vector<std::optional<std::string_view>> nothing(request.keys.size());
    completion.finish({.entries = nothing});
  }
};

// A server's part that holds modules, with a loop whose time passes only while something waits.
class Server {
 public:
  // Never destroyed: its threads would outlive what the libraries tear down at exit.
  static Server& instance() {
    static Server& server = *new Server;
    return server;
  }

  void try_module(std::string_view wasm) {
    Result<sandbox::Inspection> inspection = sandbox::inspect(wasm);
    SANDGATE_CHECK(inspection || inspection.error().kind != ErrorKind::kInternal);
    if (deploy(wasm)) {
      SANDGATE_CHECK(inspection.has_value());
      call(*store_.snapshot()->all.front()->module);
    }
  }

 private:
  Server() : engine_(make_engine()), queue_(sandbox::RunQueue::create(*engine_, loop_)) {
    sandbox::Engine::initialise_thread();
  }

  static std::shared_ptr<sandbox::Engine> make_engine() {
    sandbox::EngineOptions options;
    options.memory_bytes_max = kMemoryBytes;
    options.instances_max = 4;
    options.stack_bytes = std::uint64_t{256} << 10;
    return std::move(sandbox::Engine::create(options).value());
  }

  template <typename T>
  static Detached keep(Task<T> task, std::optional<T>& result) {
    result = co_await std::move(task);
  }
  template <typename T>
  T run(Task<T> task) {
    std::optional<T> result;
    keep(std::move(task), result);
    auto ended = [&result] { return result.has_value(); };
    while (!loop_.run_until(ended, 2ms)) loop_.advance(2ms);
    return std::move(*result);
  }

  bool deploy(std::string_view wasm) {
    modules::Descriptor descriptor{.name = "fuzz", .file_path = {}, .attach_points = {}};
    descriptor.options.config = {{{"name", "value"}}};
    descriptor.options.key_value = {"shared"};
    Result<modules::Deployer::Place> place = deployer_.enter();
    SANDGATE_CHECK(place.has_value());
    Result<modules::PutResult> put =
        run(deployer_.put(std::move(*place), std::move(descriptor), std::string(wasm), loop_));
    if (put) return true;
    SANDGATE_CHECK(put.error().kind != ErrorKind::kInternal && !put.error().detail.empty());
    return false;
  }

  void call(const sandbox::Module& module) {
    if (module.serves_on_request()) {
      call_hook(module, [this](sandbox::Instance& instance, Arena& arena, Cancellation& cancellation) {
        http::RequestHead head(arena);
        head.method = "POST";
        head.path = "/a/b";
        head.query = "q=1";
        head.authority = "example.com";
        head.fields.add("Host", "example.com");
        head.fields.add("Authorization", "Bearer secret");
        head.fields.add("X-Api-Key", "k");
        return run(router::on_request(*queue_, instance, {head, "body", "id", 1'700'000'000'000}, arena, cancellation));
      });
    }
    if (module.serves_on_response()) {
      call_hook(module, [this](sandbox::Instance& instance, Arena& arena, Cancellation& cancellation) {
        http::ResponseHead head(arena);
        head.fields.add("Content-Type", "text/plain");
        return run(router::on_response(*queue_, instance, {head, "body"}, arena, cancellation));
      });
    }
  }

  template <typename Hook>
  void call_hook(const sandbox::Module& module, Hook&& hook) {
    const sandbox::Budget budget{.memory_bytes = kMemoryBytes, .wall = 20ms, .output_bytes = 65536};
    EmptyHost host;
    Arena arena;
    Cancellation cancellation;
    std::expected<sandbox::Instance, sandbox::GuestFailure> instance =
        sandbox::Instance::create(module, budget, *queue_, &host);
    SANDGATE_CHECK(instance.has_value());
    const router::Outcome outcome = hook(*instance, arena, cancellation);
    SANDGATE_CHECK(instance->memory_peak_bytes() <= kMemoryBytes);
    if (outcome) {
      if (outcome->status) SANDGATE_CHECK(*outcome->status >= 200 && *outcome->status <= 599);
      SANDGATE_CHECK(!outcome->body || outcome->body->size() <= 65536);
      return;
    }
    SANDGATE_CHECK(outcome.error().kind != sandbox::FailureKind::kInternal);
    SANDGATE_CHECK(outcome.error().kind != sandbox::FailureKind::kCapacity);
  }

  test::FakeLoop loop_;
  std::shared_ptr<sandbox::Engine> engine_;
  std::unique_ptr<sandbox::RunQueue> queue_;
  modules::ModuleStore store_;
  modules::Registry registry_{store_, nullptr};
  CompilerHere compiler_{engine_};
  modules::Deployer deployer_{registry_, compiler_, ""};
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // One thread compiles: inputs are small, and the machine has other work.
  ::setenv("RAYON_NUM_THREADS", "1", 1);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t bytes_max,
                                               unsigned seed) {
  const std::string_view wasm(reinterpret_cast<const char*>(data), size);
  const std::string changed = fuzz::WasmMutator(seed).mutate(wasm, bytes_max);
  std::ranges::copy(changed, data);
  return changed.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Server::instance().try_module({reinterpret_cast<const char*>(data), size});
  return 0;
}
