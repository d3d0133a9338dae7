// SPDX-License-Identifier: Apache-2.0
#include "abi/router_middleware/records.h"

#include <algorithm>
#include <cstring>

#include "abi/router_middleware/actions.h"
#include "abi/router_middleware/limits.h"
#include "abi/router_middleware/utf8.h"
#include "base/ascii.h"

namespace sandgate::abi::router_middleware {
namespace {

sg_bytes to_bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string_view to_text(sg_bytes bytes) {
  return bytes.len == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(bytes.data), bytes.len);
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Guests of this world expect names in lower case, as HTTP/2 has them.
std::string_view lowered(std::string_view name, Arena& arena) {
  if (std::ranges::none_of(name, is_upper)) return name;
  auto* to = static_cast<char*>(arena.allocate(name.size(), 1));
  std::ranges::transform(name, to, ascii_lower);
  return {to, name.size()};
}

sg_headers lower_fields(const http::Fields& fields, Arena& arena) {
  std::span<sg_header> headers = arena.allocate_array<sg_header>(fields.size());
  sg_header* to = headers.data();
  for (const http::Field& field : fields) {
    // Requests have been checked (is_presentable); responses of upstreams may hold anything.
    std::string_view value = is_utf8(field.value) ? field.value : latin1_to_utf8(field.value, arena);
    *to++ = {to_bytes(lowered(field.name, arena)), to_bytes(value)};
  }
  return {headers.data(), headers.size()};
}

std::unexpected<sandbox::GuestFailure> too_many_edits(std::string_view list) {
  return std::unexpected(sandbox::GuestFailure{sandbox::FailureKind::kInvalidEdit,
                                               std::string("more than 100 fields in headers-") + std::string(list)});
}

std::span<HeaderEdit> view_edits(sg_headers from, Arena& arena) {
  std::span<HeaderEdit> edits = arena.allocate_array<HeaderEdit>(from.len);
  for (std::size_t i = 0; i < from.len; ++i)
    edits[i] = {to_text(from.data[i].name), trimmed(to_text(from.data[i].value))};
  return edits;
}

void copy_texts(std::span<HeaderEdit> edits, Arena& arena) {
  for (HeaderEdit& edit : edits) edit = {arena.copy(edit.name), arena.copy(edit.value)};
}

}  // namespace

sg_request lower_request(const RequestRecord& record, Arena& arena) {
  sg_request request{};
  request.method = to_bytes(record.head.method);
  request.path = to_bytes(record.head.path);
  request.query = to_bytes(record.head.query);
  request.headers = lower_fields(record.head.fields, arena);
  request.body = to_bytes(record.body);
  request.request_id = to_bytes(record.request_id);
  request.now_epoch_ms = record.now_epoch_ms;
  return request;
}

sg_response lower_response(const ResponseRecord& record, Arena& arena) {
  sg_response response{};
  response.status = static_cast<std::uint16_t>(record.head.status);
  response.headers = lower_fields(record.head.fields, arena);
  response.body = to_bytes(record.body);
  return response;
}

std::expected<Action, sandbox::GuestFailure> lift_action(const sg_action& from, Arena& arena) {
  static_assert(kEditsMax == 100, "too_many_edits names it");
  if (from.headers_set.len > kEditsMax) return too_many_edits("set");
  if (from.headers_add.len > kEditsMax) return too_many_edits("add");
  if (from.headers_remove_len > kEditsMax) return too_many_edits("remove");

  Action action;
  action.kind = from.tag == SG_ACTION_REJECT   ? Action::Kind::kReject
                : from.tag == SG_ACTION_MODIFY ? Action::Kind::kModify
                                               : Action::Kind::kContinue;
  if (action.kind == Action::Kind::kContinue) return action;
  if (from.has_status) action.status = from.status;
  std::span<HeaderEdit> set = view_edits(from.headers_set, arena);
  std::span<HeaderEdit> add = view_edits(from.headers_add, arena);
  std::span<std::string_view> remove = arena.allocate_array<std::string_view>(from.headers_remove_len);
  for (std::size_t i = 0; i < remove.size(); ++i) remove[i] = to_text(from.headers_remove[i]);
  action.set = set;
  action.add = add;
  action.remove = remove;
  // Checked where it lies: only what is within limits is copied.
  if (auto checked = validate(action); !checked) return std::unexpected(std::move(checked.error()));

  copy_texts(set, arena);
  copy_texts(add, arena);
  for (std::string_view& name : remove) name = arena.copy(name);
  if (from.has_body) action.body = arena.copy(to_text(from.body));
  return action;
}

}  // namespace sandgate::abi::router_middleware
