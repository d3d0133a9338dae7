// SPDX-License-Identifier: Apache-2.0
#include "abi/router_middleware/actions.h"

#include <fmt/core.h>

#include <utility>

#include "abi/router_middleware/limits.h"
#include "http/hop_by_hop.h"
#include "http/target.h"

namespace sandgate::abi::router_middleware {
namespace {

using sandbox::FailureKind;
using sandbox::GuestFailure;

std::unexpected<GuestFailure> invalid(std::string detail) {
  return std::unexpected(GuestFailure{FailureKind::kInvalidEdit, std::move(detail)});
}

// Lists are named as in the guest's interface; positions, not texts, because texts of guests may be anything.
std::expected<void, GuestFailure> validate_edits(std::string_view list, std::span<const HeaderEdit> edits) {
  if (edits.size() > kEditsMax) return invalid(fmt::format("more than {} fields in {}", kEditsMax, list));
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (!http::is_field_name(edits[i].name))
      return invalid(fmt::format("the name of field {} in {} is not valid", i, list));
    if (!http::is_field_value(edits[i].value))
      return invalid(fmt::format("the value of field {} in {} is not valid", i, list));
  }
  return {};
}

std::size_t bytes_of(std::span<const HeaderEdit> edits) {
  std::size_t bytes = 0;
  for (const HeaderEdit& edit : edits) bytes += edit.name.size() + edit.value.size();
  return bytes;
}

void report(const Ignored& ignored, std::string_view name) {
  if (ignored) ignored(name);
}

enum class HostEdits : unsigned char { kSettable, kIgnored };

// What an edit of a field may do, apart from its validity.
enum class Verdict : unsigned char { kApply, kApplyHost, kIgnore };

Verdict judge_set(const HeaderEdit& edit, HostEdits host) {
  http::FieldId id = http::field_id(edit.name);
  if (http::is_gateways_own(id, edit.name)) return Verdict::kIgnore;
  if (id != http::FieldId::kHost) return Verdict::kApply;
  return host == HostEdits::kSettable && http::parse_authority(edit.value) ? Verdict::kApplyHost : Verdict::kIgnore;
}

// A message has exactly one Host: it can be replaced, but neither repeated nor removed.
Verdict judge_other(std::string_view name) {
  http::FieldId id = http::field_id(name);
  return id == http::FieldId::kHost || http::is_gateways_own(id, name) ? Verdict::kIgnore : Verdict::kApply;
}

// `authority` follows a new Host; null in responses.
void apply(const Action& action, http::Fields& fields, std::string_view* authority, const Ignored& ignored) {
  HostEdits host = authority != nullptr ? HostEdits::kSettable : HostEdits::kIgnored;
  for (const HeaderEdit& edit : action.set) {
    Verdict verdict = judge_set(edit, host);
    if (verdict == Verdict::kIgnore) {
      report(ignored, edit.name);
      continue;
    }
    fields.set(edit.name, edit.value);
    if (verdict == Verdict::kApplyHost) *authority = edit.value;
  }
  for (const HeaderEdit& edit : action.add) {
    if (judge_other(edit.name) == Verdict::kIgnore) {
      report(ignored, edit.name);
    } else {
      fields.add(edit.name, edit.value);
    }
  }
  for (std::string_view name : action.remove) {
    if (judge_other(name) == Verdict::kIgnore) {
      report(ignored, name);
    } else {
      fields.remove(name);
    }
  }
}

}  // namespace

std::expected<void, GuestFailure> validate(const Action& action) {
  bool needs_status = action.kind == Action::Kind::kReject;
  if (needs_status && !action.status) return invalid("a rejection without a status");
  if (action.status && (*action.status < kStatusMin || *action.status > kStatusMax)) {
    return invalid(fmt::format("the status is {}; it must be {} to {}", *action.status, kStatusMin, kStatusMax));
  }
  if (auto checked = validate_edits("headers-set", action.set); !checked) return checked;
  if (auto checked = validate_edits("headers-add", action.add); !checked) return checked;
  if (action.remove.size() > kEditsMax) return invalid(fmt::format("more than {} fields in headers-remove", kEditsMax));
  std::size_t bytes = bytes_of(action.set) + bytes_of(action.add);
  for (std::size_t i = 0; i < action.remove.size(); ++i) {
    if (!http::is_field_name(action.remove[i]))
      return invalid(fmt::format("name {} in headers-remove is not valid", i));
    bytes += action.remove[i].size();
  }
  if (bytes > kEditBytesMax)
    return invalid(fmt::format("the edits have {} bytes; at most {} are allowed", bytes, kEditBytesMax));
  return {};
}

void apply_to_request(const Action& action, http::RequestHead& head, const Ignored& ignored) {
  apply(action, head.fields, &head.authority, ignored);
}

void apply_to_response(const Action& action, http::ResponseHead& head, const Ignored& ignored) {
  apply(action, head.fields, nullptr, ignored);
}

}  // namespace sandgate::abi::router_middleware
