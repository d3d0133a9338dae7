// SPDX-License-Identifier: Apache-2.0
#include "server/handover_message.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "net/inherited_sockets.h"

namespace sandgate::server {
namespace {

namespace json = boost::json;

constexpr std::string_view kVersionKey = "handover_version";
constexpr std::array<std::string_view, 5> kKinds = {"hello", "offer", "ready", "done", "cancelled"};
// Objects within arrays within the object.
constexpr std::size_t kDepthMax = 4;

std::unexpected<Error> no_message() {
  return fail(ErrorKind::kInvalid, "the other process said something that is no message of a handover");
}

const std::string_view* find_kind(std::string_view name) {
  const auto* found = std::ranges::find(kKinds, name);
  return found == kKinds.end() ? nullptr : found;
}

std::optional<std::string> text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<std::size_t> number_of(const json::value* value) {
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return std::nullopt;
  return static_cast<std::size_t>(value->get_int64());
}

std::optional<HandoverMessage::Socket> parse_socket(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  std::optional<std::string> listener = text_of(object, "listener");
  std::optional<std::string> address = text_of(object, "address");
  std::optional<std::size_t> index = number_of(object.if_contains("group_index"));
  if (!listener || !address || !index) return std::nullopt;
  return HandoverMessage::Socket{*std::move(listener), *std::move(address), text_of(object, "asked").value_or(""),
                                 *index};
}

bool parse_offer(const json::object& object, HandoverMessage& message) {
  const json::value* sockets = object.if_contains("sockets");
  const json::value* lock = object.if_contains("data_lock");
  if (sockets == nullptr || !sockets->is_array() || lock == nullptr || !lock->is_bool()) return false;
  if (sockets->get_array().size() > net::InheritedSockets::kMost) return false;
  for (const json::value& value : sockets->get_array()) {
    std::optional<HandoverMessage::Socket> socket = parse_socket(value);
    if (!socket) return false;
    message.sockets.push_back(*std::move(socket));
  }
  message.data_lock = lock->get_bool();
  return true;
}

bool parse_ready(const json::object& object, HandoverMessage& message) {
  const json::value* taken = object.if_contains("taken");
  if (taken == nullptr || !taken->is_array() || taken->get_array().size() > net::InheritedSockets::kMost) return false;
  for (const json::value& value : taken->get_array()) {
    std::optional<std::size_t> index = number_of(&value);
    if (!index || std::ranges::find(message.taken, *index) != message.taken.end()) return false;
    message.taken.push_back(*index);
  }
  return true;
}

}  // namespace

std::string write_handover_message(const HandoverMessage& message) {
  json::object object;
  object[kVersionKey] = HandoverMessage::kVersion;
  object["message"] = json::string(kKinds[static_cast<std::size_t>(message.kind)]);
  if (message.kind == HandoverMessage::Kind::kOffer) {
    json::array sockets;
    for (const HandoverMessage::Socket& socket : message.sockets) {
      json::object one;
      one["listener"] = socket.listener;
      one["address"] = socket.address;
      if (!socket.asked.empty()) one["asked"] = socket.asked;
      one["group_index"] = socket.group_index;
      sockets.push_back(std::move(one));
    }
    object["sockets"] = std::move(sockets);
    object["data_lock"] = message.data_lock;
  }
  if (message.kind == HandoverMessage::Kind::kReady) {
    json::array taken;
    for (std::size_t index : message.taken) taken.emplace_back(index);
    object["taken"] = std::move(taken);
  }
  if (message.kind == HandoverMessage::Kind::kCancelled) object["reason"] = message.reason;
  return json::serialize(object);
}

Result<HandoverMessage> parse_handover_message(std::string_view text) {
  json::error_code failure;
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::value value = json::parse({text.data(), text.size()}, failure, {}, options);
  if (failure || !value.is_object()) return no_message();
  const json::object& object = value.get_object();
  std::optional<std::size_t> version = number_of(object.if_contains(kVersionKey));
  if (!version) return no_message();
  if (*version != HandoverMessage::kVersion) {
    return fail(ErrorKind::kUnsupported,
                fmt::format("the other process hands over in version {}, this one in version {}: stop the old server, "
                            "then start the new one",
                            *version, HandoverMessage::kVersion));
  }
  const std::string_view* kind = find_kind(text_of(object, "message").value_or(""));
  if (kind == nullptr) return no_message();
  HandoverMessage message;
  message.kind = static_cast<HandoverMessage::Kind>(kind - kKinds.begin());
  message.reason = text_of(object, "reason").value_or("");
  bool whole = true;
  if (message.kind == HandoverMessage::Kind::kOffer) whole = parse_offer(object, message);
  if (message.kind == HandoverMessage::Kind::kReady) whole = parse_ready(object, message);
  if (!whole) return no_message();
  return message;
}

}  // namespace sandgate::server
