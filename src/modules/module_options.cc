// SPDX-License-Identifier: Apache-2.0
#include "modules/module_options.h"

#include <initializer_list>

namespace sandgate::modules {
namespace {

template <typename E>
std::optional<E> find(std::string_view name, std::string_view (*name_of)(E), std::initializer_list<E> all) {
  for (E one : all) {
    if (name_of(one) == name) return one;
  }
  return std::nullopt;
}

}  // namespace

std::string_view attach_point_name(AttachPoint point) {
  switch (point) {
    case AttachPoint::kOnRequest: return "OnRequest";
    case AttachPoint::kOnResponse: return "OnResponse";
    case AttachPoint::kOnError: return "OnError";
  }
  return "";
}

std::optional<AttachPoint> parse_attach_point(std::string_view name) {
  return find(name, &attach_point_name, {AttachPoint::kOnRequest, AttachPoint::kOnResponse, AttachPoint::kOnError});
}

std::string_view on_failure_name(OnFailure policy) { return policy == OnFailure::kClosed ? "closed" : "open"; }

std::optional<OnFailure> parse_on_failure(std::string_view name) {
  return find(name, &on_failure_name, {OnFailure::kClosed, OnFailure::kOpen});
}

std::string_view instance_mode_name(InstanceMode mode) {
  switch (mode) {
    case InstanceMode::kFresh: return "fresh";
    case InstanceMode::kExchange: return "exchange";
    case InstanceMode::kReuse: return "reuse";
  }
  return "";
}

std::optional<InstanceMode> parse_instance_mode(std::string_view name) {
  return find(name, &instance_mode_name, {InstanceMode::kFresh, InstanceMode::kExchange, InstanceMode::kReuse});
}

}  // namespace sandgate::modules
