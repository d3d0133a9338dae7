// SPDX-License-Identifier: Apache-2.0
//
// Real compilations in real processes.
#include "sandbox/compiler.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/digest.h"
#include "sandbox/compile_frame.h"
#include "sandbox/compile_job.h"
#include "sandbox/testing/compile_child.h"
#include "sandbox/testing/guests.h"
#include "sandbox/testing/temporary_folder.h"

namespace sandgate::sandbox {
namespace {

using testing::GuestLoop;
using testing::RequestCall;
using testing::TemporaryFolder;
using testing::test_engine;

using Compiled = Result<std::shared_ptr<const Module>>;

CompilerOptions options_for(const std::string& cache = "") {
  CompilerOptions options;
  options.program = testing::compile_child_path();
  options.cache_directory = cache;
  return options;
}

std::unique_ptr<Compiler> make_compiler(const CompilerOptions& options) {
  return Compiler::create(options, test_engine()).value();
}

// One compile() and its end.
struct Waiter {
  std::optional<Compiled> compiled;

  static Detached run(Waiter& waiter, Compiler& compiler, std::string_view wasm, std::string sha256_hex, Loop& loop) {
    Compiled compiled = co_await compiler.compile(wasm, sha256_hex, {}, loop);
    waiter.compiled = std::move(compiled);
  }
};

Compiled compile(Compiler& compiler, const std::string& wasm) {
  test::FakeLoop loop;
  Waiter waiter;
  Waiter::run(waiter, compiler, wasm, platform::sha256_hex(wasm), loop);
  EXPECT_TRUE(loop.run_until([&] { return waiter.compiled.has_value(); }));
  return std::move(*waiter.compiled);
}

Compiled compile(const CompilerOptions& options, const std::string& wasm) {
  return compile(*make_compiler(options), wasm);
}

bool no_child_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

void expect_runs(const std::shared_ptr<const Module>& module) {
  GuestLoop guests;
  std::expected<Instance, GuestFailure> instance =
      Instance::create(*module, {.wall = Milliseconds(60'000)}, *guests.queue, nullptr);
  ASSERT_TRUE(instance.has_value());
  RequestCall call(guests, std::move(*instance));
  call.start();
  EXPECT_TRUE(call.finish().has_value());
}

// Those that compile; the others (Compiler) run processes that do not get that far.
class CompilerTest : public testing::GuestTest {};

TEST_F(CompilerTest, CompilesInAnotherProcessAndLoads) {
  Compiled module = compile(options_for(), test::read_guest("both_hooks"));
  ASSERT_TRUE(module.has_value()) << module.error().detail << " " << module.error().cause;
  EXPECT_TRUE((*module)->serves_on_request());
  EXPECT_TRUE((*module)->serves_on_response());
  expect_runs(*module);
  EXPECT_TRUE(no_child_left());
}

TEST_F(CompilerTest, TellsWhichHooksAModuleServes) {
  Compiled module = compile(options_for(), test::read_guest("only_response"));
  ASSERT_TRUE(module.has_value());
  EXPECT_FALSE((*module)->serves_on_request());
  EXPECT_TRUE((*module)->serves_on_response());
}

TEST_F(CompilerTest, ExplainsWhatIsWrongWithAModule) {
  struct Case {
    std::string wasm;
    const char* words;
    ErrorKind kind = ErrorKind::kInvalid;
  };
  for (const Case& refused :
       {Case{"", "WebAssembly"}, Case{"MZ\x90", "WebAssembly"}, Case{std::string("\0asm\1\0\0\0\1", 9), ""},
        Case{test::read_guest("unknown_import"), "not granted", ErrorKind::kDenied},
        Case{test::read_guest("missing_exports"), "on-request"}, Case{test::read_guest("wrong_signature"), ""}}) {
    Compiled module = compile(options_for(), refused.wasm);
    ASSERT_FALSE(module.has_value());
    EXPECT_EQ(module.error().kind, refused.kind) << module.error().detail << module.error().cause;
    EXPECT_NE(module.error().detail.find(refused.words), std::string::npos) << module.error().detail;
  }
}

TEST(Compiler, RefusesAnythingButADigest) {
  std::unique_ptr<Compiler> compiler = make_compiler(options_for());
  for (const char* digest : {"", "../../../../etc/passwd", "ABCD"}) {
    test::FakeLoop loop;
    Waiter waiter;
    Waiter::run(waiter, *compiler, "", digest, loop);
    ASSERT_TRUE(waiter.compiled.has_value());
    EXPECT_EQ(waiter.compiled->error().kind, ErrorKind::kInvalid);
  }
}

TEST_F(CompilerTest, CompilesAgainOnlyWhatTheCacheDoesNotHave) {
  TemporaryFolder folder;
  std::string wasm = test::read_guest("continue_all");
  ASSERT_TRUE(compile(options_for(folder.path()), wasm).has_value());
  ASSERT_EQ(folder.names(".code").size(), 1U);
  CompilerOptions without_child = options_for(folder.path());
  without_child.program = "/nonexistent/compiler";
  Compiled module = compile(without_child, wasm);
  ASSERT_TRUE(module.has_value()) << module.error().detail;
  expect_runs(*module);
  EXPECT_FALSE(compile(without_child, test::read_guest("both_hooks")).has_value());
}

TEST_F(CompilerTest, NeverLoadsATamperedFile) {
  TemporaryFolder folder;
  std::string wasm = test::read_guest("continue_all");
  ASSERT_TRUE(compile(options_for(folder.path()), wasm).has_value());
  std::string name = folder.names(".code").front();
  std::string good = folder.read(name);
  std::string bad = good;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
  folder.write(name, bad, 0400);
  CompilerOptions without_child = options_for(folder.path());
  without_child.program = "/nonexistent/compiler";
  EXPECT_FALSE(compile(without_child, wasm).has_value());
  ASSERT_TRUE(compile(options_for(folder.path()), wasm).has_value());
  EXPECT_NE(folder.read(name), bad);
}

TEST_F(CompilerTest, CompilesAgainWhatTheEngineWillNotLoad) {
  TemporaryFolder folder;
  std::string wasm = test::read_guest("continue_all");
  Result<std::unique_ptr<CodeCache>> cache = CodeCache::open(folder.path(), test_engine()->fingerprint());
  ASSERT_TRUE(cache.has_value());
  (*cache)->store(platform::sha256_hex(wasm), "ours, but no code");
  Compiled module = compile(options_for(folder.path()), wasm);
  ASSERT_TRUE(module.has_value()) << module.error().detail;
  EXPECT_NE((*cache)->find(platform::sha256_hex(wasm)), "ours, but no code");
}

TEST_F(CompilerTest, WorksWithoutACacheThatCannotBeUsed) {
  TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  EXPECT_TRUE(compile(options_for(folder.path()), test::read_guest("continue_all")).has_value());
  EXPECT_TRUE(folder.names(".code").empty());
}

// WebAssembly written by hand, because what follows would be large in the tree.
std::string leb128(std::size_t number) {
  std::string bytes;
  do {
    std::size_t low = number & 0x7f;
    number >>= 7;
    bytes += static_cast<char>(number != 0 ? low | 0x80 : low);
  } while (number != 0);
  return bytes;
}
std::string sized(const std::string& content) { return leb128(content.size()) + content; }
std::string section(char id, const std::string& content) { return id + sized(content); }
std::string bytes_of(std::initializer_list<int> bytes) {
  std::string text;
  for (int byte : bytes) text += static_cast<char>(byte);
  return text;
}

// A valid module with the request hook, and with functions that take long to compile: `operations` times local 0 =
// local 0 * local 0 + 7.
std::string compile_bomb(std::size_t functions, std::size_t operations) {
  std::string body = bytes_of({0});  // no locals
  for (std::size_t i = 0; i < operations; ++i) body += bytes_of({0x20, 0, 0x20, 0, 0x6c, 0x41, 7, 0x6a, 0x21, 0});
  body += bytes_of({0x20, 0, 0x0b});
  std::string i32s(12, '\x7f');
  std::string types = bytes_of({3, 0x60, 1, 0x7f, 1, 0x7f}) + bytes_of({0x60, 13}) + i32s + bytes_of({0x7e, 1, 0x7f}) +
                      bytes_of({0x60, 4}) + i32s.substr(8) + bytes_of({1, 0x7f});
  std::string hook = sized(bytes_of({0, 0x41, 0, 0x0b}));
  std::string code = leb128(functions + 2) + hook + hook;
  for (std::size_t i = 0; i < functions; ++i) code += sized(body);
  std::string exports = bytes_of({3}) + sized("memory") + bytes_of({2, 0}) +
                        sized("sgl:router/middleware-on-request#on-request") + bytes_of({0, 0}) +
                        sized("cabi_realloc") + bytes_of({0, 1});
  return std::string("\0asm\1\0\0\0", 8) + section(1, types) +
         section(3, leb128(functions + 2) + bytes_of({1, 2}) + std::string(functions, '\0')) +
         section(5, bytes_of({1, 0, 1})) + section(7, exports) + section(10, code);
}

TEST_F(CompilerTest, CompilesWhatTheBombsAreMadeOf) {
  Compiled module = compile(options_for(), compile_bomb(2, 10));
  ASSERT_TRUE(module.has_value()) << module.error().detail << module.error().cause;
}

TEST_F(CompilerTest, KillsACompilationThatTakesTooLong) {
  CompilerOptions options = options_for();
  options.time = Milliseconds(1000);
  Compiled module = compile(options, compile_bomb(40, 50'000));
  ASSERT_FALSE(module.has_value());
  EXPECT_EQ(module.error().kind, ErrorKind::kTooLarge) << module.error().detail << module.error().cause;
  EXPECT_EQ(module.error().detail, "compiling the module needed more than 1 s");
  EXPECT_TRUE(no_child_left());
}

TEST_F(CompilerTest, KillsACompilationThatTakesTooMuchMemory) {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizers need all address space";
#endif
  CompilerOptions options = options_for();
  options.address_space_bytes = 256 << 20;
  Compiled module = compile(options, compile_bomb(40, 50'000));
  ASSERT_FALSE(module.has_value());
  EXPECT_EQ(module.error().kind, ErrorKind::kTooLarge) << module.error().detail << module.error().cause;
  EXPECT_EQ(module.error().detail, "compiling the module needed more than 256 MiB of memory") << module.error().cause;
}

TEST(Compiler, ReportsAProcessThatMisbehaves) {
  for (const char* deed : {"silent", "nonsense", "crash", "deaf"}) {
    CompilerOptions options = options_for();
    options.command = deed;
    Compiled module = compile(options, test::read_guest("continue_all"));
    ASSERT_FALSE(module.has_value()) << deed;
    EXPECT_EQ(module.error().kind, ErrorKind::kInternal) << deed;
    EXPECT_FALSE(module.error().cause.empty()) << deed;
  }
}

TEST(Compiler, BoundsItsQueue) {
  CompilerOptions options = options_for();
  options.command = "sleep";
  std::unique_ptr<Compiler> compiler = make_compiler(options);
  test::FakeLoop loop;
  std::vector<std::unique_ptr<Waiter>> waiters;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < Compiler::kQueuedMax + Compiler::kThreads + 1; ++i) {
    waiters.push_back(std::make_unique<Waiter>());
    Waiter::run(*waiters.back(), *compiler, "", std::string(64, 'a'), loop);
    if (!waiters.back()->compiled) continue;
    ++refused;
    EXPECT_EQ(waiters.back()->compiled->error().kind, ErrorKind::kOverloaded);
  }
  EXPECT_GE(refused, 1U);
  // Everybody who waits is told when the compiler goes, and no process stays.
  compiler.reset();
  loop.run_until_idle();
  for (const auto& waiter : waiters) {
    ASSERT_TRUE(waiter->compiled.has_value());
    EXPECT_EQ(waiter->compiled->error().kind, ErrorKind::kOverloaded);
  }
  EXPECT_TRUE(no_child_left());
}

TEST(CompileFrame, IsExactlyOneFrame) {
  CompileFrameHeader header;
  header.payload_bytes = 4;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += "code";
  ASSERT_TRUE(parse_compile_frame(bytes).has_value());
  EXPECT_EQ(parse_compile_frame(bytes)->payload, "code");
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(parse_compile_frame(std::string_view(bytes).substr(0, length)).has_value());
  EXPECT_FALSE(parse_compile_frame(bytes + "x").has_value());
  bytes[0] = 'S';
  EXPECT_FALSE(parse_compile_frame(bytes).has_value());
}

TEST(CompileJob, TellsTheCpuLimitFromACrash) {
  CompilerOptions options;
  options.time = Milliseconds(7'000);
  Result<std::string> code = code_of({.how = ChildEnd::How::kSignalled, .code = SIGXCPU}, options);
  ASSERT_FALSE(code.has_value());
  EXPECT_EQ(code.error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(code.error().detail, "compiling the module needed more than 7 s");
  code = code_of({.how = ChildEnd::How::kSignalled, .code = SIGKILL}, options);
  ASSERT_FALSE(code.has_value());
  EXPECT_EQ(code.error().kind, ErrorKind::kTooLarge);
  code = code_of({.how = ChildEnd::How::kSignalled, .code = SIGSEGV}, options);
  ASSERT_FALSE(code.has_value());
  EXPECT_EQ(code.error().kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace sandgate::sandbox
