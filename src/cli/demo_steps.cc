// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_steps.h"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <algorithm>
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

Result<std::string> run_shell(const std::string& command) {
  const char* path = ::getenv("PATH");
  sandbox::ChildCommand child;
  child.program = "/bin/sh";
  child.arguments = {"-c", command};
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
  return std::move(end->output);
}

Result<Answer> run(const DemoStep& step, const std::string& command) {
  Answer answer;
  if (step.status == 0) {
    Result<std::string> output = run_shell(command);
    if (!output) return fail(std::move(output.error()));
    answer.body = std::move(*output);
    return answer;
  }
  Result<std::string> output = run_shell(command + " -s" + std::string(kStatusFormat));
  if (!output) return fail(std::move(output.error()));
  std::size_t newline = output->rfind('\n');
  if (newline == std::string::npos) return fail(ErrorKind::kInternal, "curl said nothing");
  answer.body = output->substr(0, newline);
  std::from_chars(output->data() + newline + 1, output->data() + output->size(), answer.status);
  return answer;
}

// Runs a step, prints it, and tells whether it showed what it should.
bool show(const DemoStep& step, std::string& uuid) {
  std::string command = with_uuid(step.command, uuid);
  fmt::print("# {}\n$ {}\n", step.shows, command);
  Result<Answer> answer = run(step, command);
  if (!answer) {
    fmt::print("  failed: {} {}\n\n", answer.error().detail, answer.error().cause);
    return false;
  }
  while (!answer->body.empty() && answer->body.back() == '\n') answer->body.pop_back();
  fmt::print("{}{}", answer->body, answer->body.empty() ? "" : "  ");
  fmt::print("{}\n", step.status == 0 ? "" : fmt::format("[{}]", answer->status));
  bool as_expected = answer->status == step.status && answer->body.find(step.contains) != std::string::npos;
  if (!as_expected)
    fmt::print("  expected: {} with {}\n", step.status, step.contains.empty() ? "anything" : step.contains);
  fmt::print("\n");
  std::fflush(stdout);
  std::size_t at = answer->body.find(kSuccess);
  if (step.keeps_uuid && at != std::string::npos) uuid = answer->body.substr(at + kSuccess.size(), kUuidLength);
  return as_expected;
}

}  // namespace

namespace {

std::string deployment(std::string_view url, std::string_view folder, std::string_view name, std::string_view points,
                       std::string_view options) {
  std::string attach;
  for (std::size_t at = 0; at < points.size();) {
    std::size_t end = std::min(points.find(' ', at), points.size());
    attach += fmt::format("{}{{\"Middleware\": \"{}\"}}", attach.empty() ? "" : ", ", points.substr(at, end - at));
    at = end + 1;
  }
  return fmt::format(
      "curl -X POST {}/wasm -H 'Content-Type: application/json' -d '{{\"modules\": [{{\"name\": \"{}\", "
      "\"file_path\": \"{}/{}.wasm\", \"module_type\": \"Middleware\", \"attach_points\": [{}]{}}}]}}'",
      url, name, folder, name, attach, options);
}

}  // namespace

std::vector<DemoStep> demo_steps(std::string_view url, std::string_view folder) {
  std::string models = fmt::format("curl {}/v1/models", url);
  std::string count = fmt::format(
      "for i in $(seq 65); do curl -s -o /dev/null -w '%{{http_code}}\\n' {}/generate -H 'X-Api-Key: demo'; done | "
      "sort "
      "| uniq -c",
      url);
  // An hour: the demo shall not run over the edge of a window.
  std::string_view limiter =
      R"(, "allow": {"key_value": ["ratelimit"]}, "config": {"limit": "60", "window_ms": "3600000"})";
  return {
      {.shows = "deploy auth while the gateway runs",
       .command = deployment(url, folder, "auth", "OnRequest", ""),
       .contains = "Success",
       .deploys = true,
       .keeps_uuid = true},
      {.shows = "without a key the module rejects the request; the worker never sees it",
       .command = models,
       .status = 401},
      {.shows = "with the key it reaches the worker",
       .command = models + " -H 'Authorization: Bearer secret-api-key-12345'",
       .contains = "\"worker\":\"demo\""},
      {.shows = "deploy logging: it tags requests, and turns a worker's 500 into 503",
       .command = deployment(url, folder, "logging", "OnRequest OnResponse", ""),
       .contains = "Success",
       .deploys = true},
      {.shows = "paths outside /v1 and /api need no key; the worker sees the tags",
       .command = fmt::format("curl {}/generate", url),
       .contains = "\"x-wasm-processed\":\"true\""},
      {.shows = "deploy ratelimit: it needs a store and its settings, and would be refused without",
       .command = deployment(url, folder, "ratelimit", "OnRequest", limiter),
       .contains = "Success",
       .deploys = true},
      {.shows = "65 requests of one client: 60 pass, 5 are told to slow down",
       .command = count,
       .status = 0,
       .contains = "      5 429"},
      {.shows = "what is deployed, and what it did",
       .command = fmt::format("curl {}/wasm", url),
       .contains = "\"name\":\"ratelimit\""},
      {.shows = "remove auth again",
       .command = fmt::format("curl -X DELETE {}/wasm/UUID", url),
       .contains = "Module removed successfully"},
      {.shows = "now nobody asks for a key", .command = models, .contains = "\"worker\":\"demo\""},
  };
}

std::string with_uuid(std::string command, std::string_view uuid) {
  std::size_t at = command.find(kUuidPlace);
  if (at != std::string::npos) command.replace(at, kUuidPlace.size(), uuid);
  return command;
}

std::optional<std::string> deploy_demo(std::string_view url, std::string_view folder) {
  std::string uuid;
  for (const DemoStep& step : demo_steps(url, folder)) {
    if (step.deploys && !show(step, uuid)) return std::nullopt;
  }
  return uuid;
}

int check_demo(std::string_view url, std::string_view folder) {
  std::string uuid;
  int passed = 0;
  int failed = 0;
  for (const DemoStep& step : demo_steps(url, folder)) {
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
