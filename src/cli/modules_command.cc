// SPDX-License-Identifier: Apache-2.0
#include "cli/modules_command.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <cerrno>
#include <optional>

#include "cli/commands.h"
#include "cli/reply_json.h"
#include "modules/descriptor.h"
#include "platform/descriptor.h"
#include "platform/file.h"

namespace sandgate::cli {
namespace {

namespace json = boost::json;

int complain(const Error& error) {
  fmt::print(stderr, "sandgate modules: {}\n", error.detail);
  if (!error.cause.empty()) fmt::print(stderr, "  cause: {}\n", error.cause);
  return kExitFailed;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

// What a refusal says: the problem's detail, or the body as it is.
int refused(const AdminClient::Reply& reply) {
  std::optional<json::value> problem = parse_reply(reply.body);
  std::string detail = problem ? member(*problem, "detail") : std::string();
  fmt::print(stderr, "sandgate modules: the gateway answered {}: {}\n", reply.status,
             detail.empty() ? reply.body : detail);
  return kExitFailed;
}

std::string attach_points(const json::value& meta) {
  std::string out;
  const json::value* points = meta.is_object() ? meta.get_object().if_contains("attach_points") : nullptr;
  if (points == nullptr || !points->is_array()) return out;
  for (const json::value& point : points->get_array()) out += (out.empty() ? "" : ",") + member(point, "Middleware");
  return out;
}

void print_line(const json::value& module) {
  const json::value* meta = module.is_object() ? module.get_object().if_contains("module_meta") : nullptr;
  if (meta == nullptr) return;
  fmt::print("{:<24} {:<30} {:<9} {:>9}  {}\n", member(*meta, "name"), attach_points(*meta), member(*meta, "instance"),
             member(*meta, "access_count"), member(module, "module_uuid"));
}

Result<AdminClient::Reply> ask(const ModulesOptions& options, const AdminClient::Request& request) {
  Result<AdminClient> client = AdminClient::create(options.server);
  if (!client) return fail(std::move(client.error()));
  return client->send(request);
}

std::string target_of(const std::string& name) { return "/wasm/" + percent_encoded(name); }

std::string deploy_target(const ModulesOptions& options) {
  std::string query;
  auto add = [&query](std::string_view name, const std::string& value) {
    query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, percent_encoded(value));
  };
  std::string points;
  for (const std::string& point : options.attach) points += (points.empty() ? "" : ",") + point;
  add("attach", points);
  if (!options.on_failure.empty()) add("on_failure", options.on_failure);
  if (!options.instance.empty()) add("instance", options.instance);
  if (options.no_body) add("body", "false");
  std::string stores;
  for (const std::string& store : options.key_value) stores += (stores.empty() ? "" : ",") + ("key_value:" + store);
  if (!stores.empty()) add("allow", stores);
  return target_of(options.name) + query;
}

// Settings go in fields, not in the target: targets are logged.
std::vector<std::string> config_fields(const ModulesOptions& options) {
  std::vector<std::string> fields;
  for (const std::string& entry : options.config) {
    std::size_t equals = std::min(entry.find('='), entry.size());
    std::string_view value = std::string_view(entry).substr(std::min(equals + 1, entry.size()));
    fields.push_back(percent_encoded(std::string_view(entry).substr(0, equals)) + "=" + percent_encoded(value));
  }
  return fields;
}

}  // namespace

int deploy_module(const ModulesOptions& options) {
  platform::Descriptor file(::open(options.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return complain(Error(ErrorKind::kInvalid, options.file + ": " + platform::system_error_text(errno)));
  Result<std::string> wasm = platform::read_file(file, modules::kModuleBytesMax);
  if (!wasm) return complain(wasm.error());
  if (!options.json) fmt::print(stderr, "deploying {} ({} bytes)...\n", options.name, wasm->size());
  Result<AdminClient::Reply> reply = ask(options, {"PUT", deploy_target(options), config_fields(options), *wasm});
  if (!reply) return complain(reply.error());
  if (reply->status != 200 && reply->status != 201) return refused(*reply);
  if (options.json) {
    fmt::print("{}", reply->body);
    return kExitOk;
  }
  std::optional<json::value> module = parse_reply(reply->body);
  fmt::print("{} {} as {}\n", options.name, reply->status == 201 ? "deployed" : "replaced",
             module ? member(*module, "module_uuid") : "?");
  return kExitOk;
}

int list_modules(const ModulesOptions& options) {
  Result<AdminClient::Reply> reply = ask(options, {.method = "GET", .target = "/wasm"});
  if (!reply) return complain(reply.error());
  if (reply->status != 200) return refused(*reply);
  std::optional<json::value> report = parse_reply(reply->body);
  if (options.json || !report || !report->is_object()) {
    fmt::print("{}", reply->body);
    return kExitOk;
  }
  const json::value* list = report->get_object().if_contains("modules");
  if (list == nullptr || !list->is_array() || list->get_array().empty()) {
    fmt::print("no modules are deployed\n");
    return kExitOk;
  }
  fmt::print("{:<24} {:<30} {:<9} {:>9}  {}\n", "NAME", "ATTACHED", "INSTANCE", "CALLS", "UUID");
  for (const json::value& module : list->get_array()) print_line(module);
  return kExitOk;
}

int show_module(const ModulesOptions& options) {
  Result<AdminClient::Reply> reply = ask(options, {.method = "GET", .target = target_of(options.name)});
  if (!reply) return complain(reply.error());
  if (reply->status != 200) return refused(*reply);
  std::optional<json::value> module = parse_reply(reply->body);
  const json::value* meta = module && module->is_object() ? module->get_object().if_contains("module_meta") : nullptr;
  if (options.json || meta == nullptr || !meta->is_object()) {
    fmt::print("{}", reply->body);
    return kExitOk;
  }
  fmt::print("{:<18} {}\n", "uuid", member(*module, "module_uuid"));
  for (const auto& [name, value] : meta->get_object()) {
    std::string text = name == "attach_points" ? attach_points(*meta) : member(*meta, name);
    fmt::print("{:<18} {}\n", std::string_view(name.data(), name.size()), text);
  }
  return kExitOk;
}

int remove_module(const ModulesOptions& options) {
  Result<AdminClient::Reply> reply = ask(options, {.method = "DELETE", .target = target_of(options.name)});
  if (!reply) return complain(reply.error());
  if (reply->status != 200) return refused(*reply);
  if (!options.json) fmt::print("{} removed\n", options.name);
  return kExitOk;
}

}  // namespace sandgate::cli
