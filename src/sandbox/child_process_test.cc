// SPDX-License-Identifier: Apache-2.0
#include "sandbox/child_process.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "sandbox/testing/compile_child.h"
#include "sandbox/testing/misdeeds.h"
#include "sandbox/thread.h"

namespace sandgate::sandbox {
namespace {

using platform::Descriptor;

ChildCommand misdeed(const std::string& deed) {
  ChildCommand command;
  command.program = testing::compile_child_path();
  command.arguments = {deed};
  command.time = Milliseconds(60'000);
  command.output_bytes_max = 1 << 20;
  return command;
}

// As the compiler does: on a thread that has its signals blocked.
Result<ChildEnd> run(const ChildCommand& command, const std::string& input = "",
                     const Descriptor& stop = Descriptor(::eventfd(0, EFD_CLOEXEC))) {
  Result<ChildEnd> end = fail(ErrorKind::kInternal, "did not run");
  start_thread("test", [&] { end = run_child(command, input, stop); }).join();
  // Whatever happened, nobody is left over.
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  return end;
}

TEST(ChildProcess, TellsAnExitCode) {
  Result<ChildEnd> end = run(misdeed("no such deed"));
  ASSERT_TRUE(end.has_value()) << end.error().cause;
  EXPECT_EQ(end->how, ChildEnd::How::kExited);
  EXPECT_EQ(end->code, testing::kUnknown);
}

TEST(ChildProcess, TellsASignal) {
  Result<ChildEnd> end = run(misdeed("crash"));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->how, ChildEnd::How::kSignalled);
  EXPECT_EQ(end->code, SIGSEGV);
}

TEST(ChildProcess, CollectsOutput) {
  Result<ChildEnd> end = run(misdeed("nonsense"));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->output, "sgchild1 but no frame\n");
}

TEST(ChildProcess, SurvivesAProgramThatDoesNotRead) {
  Result<ChildEnd> end = run(misdeed("deaf"), std::string(10 << 20, 'x'));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->how, ChildEnd::How::kExited);
}

TEST(ChildProcess, KillsAtTheDeadline) {
  for (const char* deed : {"sleep", "spin"}) {
    ChildCommand command = misdeed(deed);
    command.time = Milliseconds(100);
    Result<ChildEnd> end = run(command);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(end->how, ChildEnd::How::kOutOfTime) << deed;
  }
}

TEST(ChildProcess, KillsWhoWritesTooMuch) {
  ChildCommand command = misdeed("flood");
  command.output_bytes_max = 100'000;
  Result<ChildEnd> end = run(command);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->how, ChildEnd::How::kTooMuchOutput);
  EXPECT_EQ(end->output.size(), 100'000U);
}

TEST(ChildProcess, EndsWhenItIsStopped) {
  Descriptor stop(::eventfd(0, EFD_CLOEXEC));
  std::thread later([&stop] {
    std::this_thread::sleep_for(Milliseconds(50));
    std::uint64_t one = 1;
    EXPECT_EQ(::write(stop.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  });
  Result<ChildEnd> end = run(misdeed("sleep"), "", stop);
  later.join();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->how, ChildEnd::How::kStopped);
}

TEST(ChildProcess, InheritsNothingButThreePipesAndTheGivenEnvironment) {
  Descriptor open_without_cloexec(::dup(STDERR_FILENO));
  ::setenv("SANDGATE_TEST_SECRET", "1", 1);
  Result<ChildEnd> descriptors = run(misdeed("count-descriptors"));
  ChildCommand command = misdeed("count-environment");
  command.environment = {"ONE=1", "TWO=2"};
  Result<ChildEnd> environment = run(command);
  ::unsetenv("SANDGATE_TEST_SECRET");
  ASSERT_TRUE(descriptors.has_value() && environment.has_value());
  EXPECT_EQ(descriptors->code, 3);
  EXPECT_EQ(environment->code, 2);
}

TEST(ChildProcess, ReportsAProgramThatIsNotThere) {
  ChildCommand command = misdeed("");
  command.program = "/nonexistent/compiler";
  Result<ChildEnd> end = run(command);
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().kind, ErrorKind::kInternal);
  EXPECT_NE(end.error().cause.find("No such file"), std::string::npos);
}

TEST(Confinement, RefusesWhatACompilerDoesNotNeed) {
  for (const char* deed : {"open", "open-for-write", "executable-memory", "kill"}) {
    Result<ChildEnd> end = run(misdeed(std::string("confined-") + deed));
    ASSERT_TRUE(end.has_value());
    if (end->code == testing::kUnknown) GTEST_SKIP() << "this system has no system call filters";
    EXPECT_EQ(end->how, ChildEnd::How::kExited) << deed << " signal " << end->code;
    EXPECT_EQ(end->code, testing::kRefused) << deed;
  }
}

TEST(Confinement, KillsWhoTriesToGetOut) {
  for (const char* deed : {"socket", "execve", "fork", "ptrace"}) {
    Result<ChildEnd> end = run(misdeed(std::string("confined-") + deed));
    ASSERT_TRUE(end.has_value());
    if (end->code == testing::kUnknown) GTEST_SKIP() << "this system has no system call filters";
    EXPECT_EQ(end->how, ChildEnd::How::kSignalled) << deed << " code " << end->code;
    EXPECT_EQ(end->code, SIGSYS) << deed;
  }
}

TEST(Confinement, LeavesThreads) {
  Result<ChildEnd> end = run(misdeed("confined-thread"));
  ASSERT_TRUE(end.has_value());
  if (end->code == testing::kUnknown) GTEST_SKIP() << "this system has no system call filters";
  EXPECT_EQ(end->how, ChildEnd::How::kExited);
  EXPECT_EQ(end->code, testing::kWorked);
}

}  // namespace
}  // namespace sandgate::sandbox
