// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <variant>
#include <vector>

#include "cli/commands.h"
#include "cli/import_needs.h"
#include "config/manifest.h"
#include "exchange/problem.h"
#include "modules/deployment_checks.h"
#include "modules/descriptor.h"
#include "modules/module_options.h"
#include "platform/descriptor.h"
#include "platform/directory.h"
#include "platform/file.h"
#include "sandbox/compile_job.h"
#include "sandbox/inspection.h"

namespace sandgate::cli {
namespace {

struct Finding {
  sandbox::Inspection inspection;
  std::vector<modules::AttachPoint> attach_points;
  std::string error;  // why it cannot be deployed; empty: it can
};

Result<std::string> read_binary(const std::string& path) {
  platform::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, platform::system_error_text(errno)));
  Result<std::string> bytes = platform::read_file(file, modules::kModuleBytesMax);
  if (!bytes) return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, bytes.error().detail));
  return bytes;
}

// What is refused with all of these is refused always.
const sandbox::Grants kEveryPower{.key_value = true, .config = std::vector<std::pair<std::string, std::string>>()};

// Compiled as a server would do it, and loaded with these powers.
Result<std::vector<modules::AttachPoint>> find_attach_points(std::string_view wasm, const sandbox::Grants& grants) {
  sandbox::EngineOptions options;
  options.for_compiling = true;
  Result<std::unique_ptr<sandbox::Engine>> engine = sandbox::Engine::create(options);
  if (!engine) return fail(std::move(engine.error()));
  platform::Descriptor never(::eventfd(0, EFD_CLOEXEC));
  Result<std::string> code = sandbox::compile_in_child({}, wasm, never);
  if (!code) return fail(std::move(code.error()));
  auto module = sandbox::Module::load(std::shared_ptr<sandbox::Engine>(std::move(*engine)), *code, grants);
  if (!module) return fail(std::move(module.error()));
  std::vector<modules::AttachPoint> points;
  if ((*module)->serves_on_request()) points.push_back(modules::AttachPoint::kOnRequest);
  if ((*module)->serves_on_response()) {
    points.push_back(modules::AttachPoint::kOnResponse);
    points.push_back(modules::AttachPoint::kOnError);
  }
  return points;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_string(out, text);
  return out + '"';
}

template <typename Items, typename Write>
std::string json_list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() == 1 ? "" : ",") + write(item);
  return out + "]";
}

void print_json(const Finding& found) {
  std::string imports = json_list(found.inspection.imports, [](const std::string& name) {
    return fmt::format(R"({{"name":{},"needs":{}}})", quoted(name), quoted(need_of_import(name)));
  });
  std::string points = json_list(found.attach_points,
                                 [](modules::AttachPoint point) { return quoted(modules::attach_point_name(point)); });
  fmt::print(R"({{"kind":{},"imports":{},"exports":{},"attach_points":{},"deployable":{},"error":{}}})"
             "\n",
             quoted(found.inspection.kind), imports, json_list(found.inspection.exports, quoted), points,
             found.error.empty(), found.error.empty() ? "null" : quoted(found.error));
}

void print_text(const std::string& path, const Finding& found) {
  fmt::print("{}: {}\n", path, found.inspection.kind);
  fmt::print("imports{}\n", found.inspection.imports.empty() ? "        none: it needs nothing" : "");
  for (const std::string& name : found.inspection.imports) fmt::print("  {}\n      {}\n", name, need_of_import(name));
  fmt::print("exports\n");
  for (const std::string& name : found.inspection.exports) fmt::print("  {}\n", name);
  if (!found.error.empty()) {
    fmt::print("not deployable: {}\n", found.error);
    return;
  }
  fmt::print("attach points  ");
  for (modules::AttachPoint point : found.attach_points) fmt::print(" {}", modules::attach_point_name(point));
  fmt::print("\n");
}

// As a server would load them.
void check_modules(const config::Manifest& manifest, config::Diagnostics& out) {
  for (const config::ModuleEntry& module : manifest.modules) {
    auto wrong = [&](std::string_view what) { out.add(module.line, fmt::format("module {}: {}", module.name, what)); };
    Result<std::string> wasm = read_binary(module.path);
    if (!wasm) {
      wrong(wasm.error().detail);
      continue;
    }
    Result<std::vector<modules::AttachPoint>> points = find_attach_points(*wasm, modules::grants_of(module.options));
    if (!points) {
      wrong(points.error().detail);
      continue;
    }
    for (modules::AttachPoint point : module.attach) {
      if (std::ranges::find(*points, point) == points->end())
        wrong(fmt::format("it has no export for {}", modules::attach_point_name(point)));
    }
  }
}

void check_folders(const config::Manifest& manifest, config::Diagnostics& out) {
  for (const config::RouteEntry& route : manifest.routes) {
    const auto* files = std::get_if<gateway::StaticFilesOptions>(&route.target);
    if (files == nullptr) continue;
    if (auto folder = platform::Directory::open(files->directory); !folder)
      out.add(route.line, fmt::format("files: {}", folder.error().detail));
  }
}

// Told apart by content: the bytes of a module begin with a NUL, those of a configuration never. What is called a
// module is told what is wrong with it as one.
bool is_configuration(const std::string& path) {
  if (path.ends_with(".wasm")) return false;
  platform::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char first = 0;
  return file && ::read(file.get(), &first, 1) == 1 && first != '\0';
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Everything but names of hosts, which only a server looks up.
int check_configuration(const CheckOptions& options) {
  Result<config::Loaded> loaded = config::load_manifest(options.file);
  if (!loaded) {
    fmt::print(stderr, "{}\n", loaded.error().detail);
    return kExitFailed;
  }
  if (loaded->manifest != nullptr) {
    check_modules(*loaded->manifest, loaded->diagnostics);
    check_folders(*loaded->manifest, loaded->diagnostics);
  }
  std::vector<std::string> mistakes = loaded->diagnostics.lines(options.file);
  if (options.json) {
    std::string list = json_list(loaded->diagnostics.sorted(), [](const config::Diagnostic& mistake) {
      return fmt::format(R"({{"line":{},"message":{}}})", mistake.line, quoted(mistake.message));
    });
    fmt::print(R"({{"kind":"configuration","mistakes":{}}})"
               "\n",
               list);
  } else {
    for (const std::string& mistake : mistakes) fmt::print(stderr, "{}\n", mistake);
    if (mistakes.empty()) {
      fmt::print("{}: fine; {}, {}, {}\n", options.file, counted(loaded->manifest->routes.size(), "route"),
                 counted(loaded->manifest->upstreams.size(), "upstream"),
                 counted(loaded->manifest->modules.size(), "module"));
    }
  }
  return mistakes.empty() ? kExitOk : kExitFailed;
}

}  // namespace

int check(const CheckOptions& options) {
  if (is_configuration(options.file)) return check_configuration(options);
  Result<std::string> wasm = read_binary(options.file);
  if (!wasm) {
    fmt::print(stderr, "sandgate check: {}\n", wasm.error().detail);
    return kExitFailed;
  }
  Result<sandbox::Inspection> inspection = sandbox::inspect(*wasm);
  if (!inspection) {
    fmt::print(stderr, "sandgate check: {}: {}\n", options.file, inspection.error().detail);
    return kExitFailed;
  }
  Finding found{std::move(*inspection), {}, {}};
  Result<std::vector<modules::AttachPoint>> points = find_attach_points(*wasm, kEveryPower);
  if (points) {
    found.attach_points = std::move(*points);
  } else {
    found.error = points.error().detail;
  }
  if (options.json) {
    print_json(found);
  } else {
    print_text(options.file, found);
  }
  return found.error.empty() ? kExitOk : kExitFailed;
}

}  // namespace sandgate::cli
