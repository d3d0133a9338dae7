// SPDX-License-Identifier: Apache-2.0
#include "sandbox/compiler.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"
#include "platform/digest.h"
#include "platform/file.h"
#include "platform/log.h"
#include "sandbox/code_cache.h"
#include "sandbox/compile_job.h"
#include "sandbox/thread.h"

namespace sandgate::sandbox {
namespace {

using Compiled = Result<std::shared_ptr<const Module>>;

constexpr std::string_view kNoDigest = "the sha256 of a module is 64 lower-case hex digits";

// Shared by the coroutine that waits and the thread that works; the latter fills `compiled` and posts `done`.
struct Job {
  std::string_view wasm;
  std::string sha256_hex;
  Grants grants;
  Loop* loop;
  Compiled compiled = fail(ErrorKind::kOverloaded, "the server is shutting down");
  Event done;
};

bool is_sha256_hex(std::string_view text) {
  return text.size() == 2 * platform::kSha256Bytes &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

class CompilerImpl final : public Compiler {
 public:
  CompilerImpl(const CompilerOptions& options, std::shared_ptr<Engine> engine, std::unique_ptr<CodeCache> cache,
               platform::Descriptor stop)
      : options_(options), engine_(std::move(engine)), cache_(std::move(cache)), stop_(std::move(stop)) {
    for (unsigned i = 0; i < threads_.size(); ++i)
      threads_[i] = start_thread("compiler-" + std::to_string(i), [this] { work(); });
  }

  ~CompilerImpl() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    std::uint64_t one = 1;
    SANDGATE_CHECK(::write(stop_.get(), &one, sizeof one) == sizeof one);
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    for (const std::shared_ptr<Job>& job : queue_) report(job);
  }

  Task<Compiled> compile(std::string_view wasm, std::string_view sha256_hex, Grants grants, Loop& loop) override {
    if (!is_sha256_hex(sha256_hex)) co_return fail(ErrorKind::kInvalid, std::string(kNoDigest));
    auto job = std::make_shared<Job>(Job{
        .wasm = wasm, .sha256_hex = std::string(sha256_hex), .grants = std::move(grants), .loop = &loop, .done = {}});
    if (!enqueue(job)) co_return fail(ErrorKind::kOverloaded, "too many modules wait to be compiled; try again later");
    co_await job->done.wait();
    co_return std::move(job->compiled);
  }

  Compiled compile_now(std::string_view wasm, std::string_view sha256_hex, const Grants& grants) override {
    if (!is_sha256_hex(sha256_hex)) return fail(ErrorKind::kInvalid, std::string(kNoDigest));
    return load_or_compile(wasm, std::string(sha256_hex), grants);
  }

 private:
  bool enqueue(std::shared_ptr<Job> job) {
    {
      std::lock_guard lock(mutex_);
      if (queue_.size() >= kQueuedMax) return false;
      queue_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
  }

  void work() {
    while (true) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        job = std::move(queue_.front());
        queue_.pop_front();
      }
      job->compiled = load_or_compile(job->wasm, job->sha256_hex, job->grants);
      report(job);
    }
  }

  static void report(const std::shared_ptr<Job>& job) {
    job->loop->post([job] { job->done.set(); });
  }

  Compiled load_or_compile(std::string_view wasm, const std::string& sha256_hex, const Grants& grants) {
    if (cache_ != nullptr) {
      if (std::optional<std::string> code = cache_->find(sha256_hex)) {
        Compiled module = Module::load(engine_, *code, grants);
        // A refused import is the module's fault or its grants', not the cache's.
        if (module || module.error().kind == ErrorKind::kDenied) return module;
        log::warning("code cache: the code of module {} does not load and is compiled again: {} {}", sha256_hex,
                     module.error().detail, module.error().cause);
        cache_->remove(sha256_hex);
      }
    }
    Result<std::string> code = compile_in_child(options_, wasm, stop_);
    if (!code) return fail(std::move(code.error()));
    Compiled module = Module::load(engine_, *code, grants);
    // What lacks a grant is kept: the next deployment may bring it.
    if (cache_ != nullptr && (module || module.error().kind == ErrorKind::kDenied)) cache_->store(sha256_hex, *code);
    return module;
  }

  CompilerOptions options_;
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<CodeCache> cache_;  // null: none
  platform::Descriptor stop_;         // readable when children must end
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> queue_;
  bool stopping_ = false;
  std::array<std::thread, kThreads> threads_;
};

// A server works without a cache, only its starts are slower: so a folder that cannot be used is a warning.
std::unique_ptr<CodeCache> open_cache(const CompilerOptions& options, const Engine& engine) {
  if (options.cache_directory.empty()) return nullptr;
  Result<std::unique_ptr<CodeCache>> cache = CodeCache::open(options.cache_directory, engine.fingerprint());
  if (cache) return std::move(*cache);
  log::warning("code cache: not used, modules are compiled at each start: {} ({})", cache.error().detail,
               cache.error().cause);
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Compiler>> Compiler::create(const CompilerOptions& options, std::shared_ptr<Engine> engine) {
  platform::Descriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return fail(ErrorKind::kInternal, "no descriptor for the compiler", platform::system_error_text(errno));
  std::unique_ptr<CodeCache> cache = open_cache(options, *engine);
  return std::make_unique<CompilerImpl>(options, std::move(engine), std::move(cache), std::move(stop));
}

}  // namespace sandgate::sandbox
