// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_steps.h"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <charconv>
#include <cstdio>
#include <optional>

#include "base/result.h"
#include "cli/commands.h"
#include "platform/descriptor.h"
#include "sandbox/child_process.h"

namespace sandgate::cli {
namespace {

constexpr Milliseconds kCurlTime{30'000};
constexpr std::uint64_t kOutputBytesMax = 1024 * 1024;
// What the commands of a step end their output with, on a line of its own.
constexpr std::string_view kStatusFormat = " -w '\\n%{http_code}'";
constexpr std::string_view kUuidPlace = "UUID";
constexpr std::size_t kUuidLength = 36;
constexpr std::string_view kSuccess = "\"Success\":\"";

struct Answer {
  int status = 0;
  std::string body;
};

Result<Answer> run(const std::string& command) {
  const char* path = ::getenv("PATH");
  sandbox::ChildCommand child;
  child.program = "/bin/sh";
  child.arguments = {"-c", command + " -s" + std::string(kStatusFormat)};
  child.environment = {std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin"), "NO_PROXY=*"};
  child.time = kCurlTime;
  child.output_bytes_max = kOutputBytesMax;
  platform::Descriptor never(::eventfd(0, EFD_CLOEXEC));
  Result<sandbox::ChildEnd> end = sandbox::run_child(child, {}, never);
  if (!end) return fail(std::move(end.error()));
  if (end->code == 127) return fail(ErrorKind::kNotFound, "curl is needed for this; install the package curl");
  if (end->how != sandbox::ChildEnd::How::kExited || end->code != 0) {
    return fail(ErrorKind::kInternal, fmt::format("curl ended with {}", end->code), end->diagnostics);
  }
  std::size_t newline = end->output.rfind('\n');
  if (newline == std::string::npos) return fail(ErrorKind::kInternal, "curl said nothing");
  Answer answer;
  answer.body = end->output.substr(0, newline);
  std::from_chars(end->output.data() + newline + 1, end->output.data() + end->output.size(), answer.status);
  return answer;
}

// Runs a step, prints it, and tells whether it showed what it should.
bool show(const DemoStep& step, std::string& uuid) {
  std::string command = with_uuid(step.command, uuid);
  fmt::print("# {}\n$ {}\n", step.shows, command);
  Result<Answer> answer = run(command);
  if (!answer) {
    fmt::print("  failed: {} {}\n\n", answer.error().detail, answer.error().cause);
    return false;
  }
  while (!answer->body.empty() && answer->body.back() == '\n') answer->body.pop_back();
  fmt::print("{}{}[{}]\n", answer->body, answer->body.empty() ? "" : "  ", answer->status);
  bool as_expected = answer->status == step.status && answer->body.find(step.contains) != std::string::npos;
  if (!as_expected)
    fmt::print("  expected: {} with {}\n", step.status, step.contains.empty() ? "anything" : step.contains);
  fmt::print("\n");
  std::fflush(stdout);
  std::size_t at = answer->body.find(kSuccess);
  if (step.deploys && at != std::string::npos) uuid = answer->body.substr(at + kSuccess.size(), kUuidLength);
  return as_expected;
}

}  // namespace

std::vector<DemoStep> demo_steps(std::string_view url, std::string_view module_path) {
  std::string models = fmt::format("{}/v1/models", url);
  std::string deploy = fmt::format(
      "curl -X POST {}/wasm -H 'Content-Type: application/json' -d '{{\"modules\": [{{\"name\": \"auth\", "
      "\"file_path\": \"{}\", "
      "\"module_type\": \"Middleware\", \"attach_points\": [{{\"Middleware\": \"OnRequest\"}}]}}]}}'",
      url, module_path);
  return {
      {"deploy the module while the gateway runs", deploy, 200, "Success", true},
      {"without a key the module rejects the request; the worker never sees it", fmt::format("curl {}", models), 401,
       "", false},
      {"with the key it reaches the worker",
       fmt::format("curl {} -H 'Authorization: Bearer secret-api-key-12345'", models), 200, "\"worker\":\"demo\"",
       false},
      {"paths outside /v1 and /api need none", fmt::format("curl {}/generate", url), 200, "\"path\":\"/generate\"",
       false},
      {"what is deployed, and what it did", fmt::format("curl {}/wasm", url), 200, "\"total_executions\":3", false},
      {"remove it again", fmt::format("curl -X DELETE {}/wasm/UUID", url), 200, "Module removed successfully", false},
      {"now nobody asks for a key", fmt::format("curl {}", models), 200, "\"worker\":\"demo\"", false},
  };
}

std::string with_uuid(std::string command, std::string_view uuid) {
  std::size_t at = command.find(kUuidPlace);
  if (at != std::string::npos) command.replace(at, kUuidPlace.size(), uuid);
  return command;
}

std::optional<std::string> deploy_demo(std::string_view url, std::string_view module_path) {
  std::string uuid;
  for (const DemoStep& step : demo_steps(url, module_path)) {
    if (step.deploys && show(step, uuid)) return uuid;
  }
  return std::nullopt;
}

int check_demo(std::string_view url, std::string_view module_path) {
  std::string uuid;
  int passed = 0;
  int failed = 0;
  for (const DemoStep& step : demo_steps(url, module_path)) {
    if (show(step, uuid)) {
      ++passed;
    } else {
      ++failed;
    }
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? kExitOk : kExitFailed;
}

}  // namespace sandgate::cli
