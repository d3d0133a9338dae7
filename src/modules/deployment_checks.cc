// SPDX-License-Identifier: Apache-2.0
#include "modules/deployment_checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace sandgate::modules {
namespace {

constexpr std::string_view kMagic{"\0asm", 4};
constexpr std::string_view kInvalidComponent = "Invalid WASM component: ";
constexpr std::string_view kHint =
    ". Hint: the file must be in the component format; a core module becomes a component by: "
    "wasm-tools component new module.wasm -o module.component.wasm";

// Words of reasons that have nothing to do with the format (a refused import, a limit), or that bring a hint
// themselves.
constexpr std::array<std::string_view, 6> kElsewhere = {"import",    "wasm-tools", "limit",
                                                        "more than", "largest",    "proposal"};

Error invalid_component(std::string_view why, std::string cause) {
  std::string detail;
  if (!why.starts_with(kInvalidComponent)) detail += kInvalidComponent;
  detail += why;
  bool about_format = std::ranges::none_of(
      kElsewhere, [why](std::string_view word) { return why.find(word) != std::string_view::npos; });
  if (about_format) detail += kHint;
  return {ErrorKind::kInvalid, std::move(detail), std::move(cause)};
}

// OnError shows a module the gateway's own answer through on-response.
Status check_served(const sandbox::Module& module, AttachPoint point) {
  bool on_request = point == AttachPoint::kOnRequest;
  if (on_request ? module.serves_on_request() : module.serves_on_response()) return {};
  std::string_view direction = on_request ? "request" : "response";
  return fail(
      ErrorKind::kInvalid,
      fmt::format("Attach point {0} needs the export sgl:router/middleware-on-{1} with the function on-{1}, which "
                  "the component lacks (the packages sgl:model-gateway and smg:gateway serve as well). Hint: build "
                  "it with a world that exports middleware-on-{1}, or leave {0} out",
                  attach_point_name(point), direction));
}

}  // namespace

Status check_is_wasm(std::string_view wasm) {
  if (wasm.starts_with(kMagic)) return {};
  return fail(invalid_component("the file does not begin with the bytes of a wasm binary", {}));
}

Error explain_compiler_error(const Error& error) {
  if (error.kind != ErrorKind::kInvalid && error.kind != ErrorKind::kDenied) return error;
  return invalid_component(error.detail, error.cause);
}

Status check_attach_points(const sandbox::Module& module, const std::vector<AttachPoint>& points) {
  for (AttachPoint point : points) {
    if (Status served = check_served(module, point); !served) return served;
  }
  return {};
}

sandbox::Grants grants_of(const ModuleOptions& options) {
  return {.key_value = !options.key_value.empty(), .config = options.config};
}

std::vector<AttachPoint> without_repeats(const std::vector<AttachPoint>& points) {
  std::vector<AttachPoint> out;
  for (AttachPoint point : points) {
    if (std::ranges::find(out, point) == out.end()) out.push_back(point);
  }
  return out;
}

}  // namespace sandgate::modules
