// SPDX-License-Identifier: Apache-2.0
#include "config/module_section.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "modules/descriptor.h"

namespace sandgate::config {
namespace {

using modules::AttachPoint;
using modules::InstanceMode;
using modules::ModuleLimits;
using modules::ModuleOptions;
using modules::OnFailure;

constexpr std::array<std::string_view, 3> kInstanceModes = {"fresh", "exchange", "reuse"};
constexpr std::string_view kAttachPoints = R"("OnRequest", "OnResponse" or "OnError")";
constexpr Range<std::uint64_t> kMemory = {ModuleLimits::kMemoryBytesMin, std::uint64_t{4} << 30};
constexpr Range<Milliseconds> kTime = {Milliseconds(1), Milliseconds(300'000)};

void read_attach(TableReader& in, std::vector<AttachPoint>& attach) {
  std::vector<std::string> names;
  if (!in.texts("attach", names, "attach points: OnRequest, OnResponse, OnError")) return;
  for (const std::string& name : names) {
    std::optional<AttachPoint> point = modules::parse_attach_point(name);
    if (!point) {
      in.mistake("attach", fmt::format("\"{}\" is no attach point; write {}", name, kAttachPoints));
    } else if (std::ranges::find(attach, *point) == attach.end()) {
      attach.push_back(*point);
    }
  }
  if (names.empty()) in.mistake("attach", "an empty list: such a module would never run; leave the key out for all");
}

void read_on_failure(TableReader& in, std::optional<OnFailure>& on_failure) {
  const Value* value = in.any("on_failure", R"("closed" or "open")", R"("closed" for requests, else "open")");
  if (value == nullptr) return;
  const std::string* text = value->as<std::string>();
  std::optional<OnFailure> parsed = text == nullptr ? std::nullopt : modules::parse_on_failure(*text);
  if (!parsed) {
    in.refuse("on_failure", *value, R"("closed" (503) or "open" (skip the module))");
    return;
  }
  on_failure = parsed;
}

void read_milliseconds(TableReader& in, std::string_view key, std::uint32_t& target) {
  Milliseconds duration(target);
  if (in.duration(key, duration, kTime)) target = static_cast<std::uint32_t>(duration.count());
}

void read_limits(TableReader& in, ModuleLimits& limits) {
  in.table("limits", [&limits](TableReader& table) {
    table.bytes("memory", limits.memory_bytes, kMemory);
    read_milliseconds(table, "time", limits.time_ms);
    read_milliseconds(table, "cpu", limits.cpu_ms);
  });
}

void read_reuse(TableReader& in, ModuleOptions& options) {
  in.table("reuse", [&options](TableReader& table) {
    table.count("max_calls", options.reuse_calls_max, {1, ModuleOptions::kReuseCallsMax});
    Milliseconds age(std::chrono::seconds(options.reuse_seconds_max));
    if (table.duration("max_age", age,
                       {std::chrono::seconds(1), std::chrono::seconds(ModuleOptions::kReuseSecondsMax)}))
      options.reuse_seconds_max = static_cast<std::uint32_t>(age.count() / 1000);
  });
}

// Settings reach guests as text, so numbers and booleans may be written as such.
std::optional<std::string> setting_text(const Value& value) {
  if (const std::int64_t* number = value.as<std::int64_t>()) return std::to_string(*number);
  if (const bool* boolean = value.as<bool>()) return *boolean ? "true" : "false";
  if (const double* fraction = value.as<double>()) return fmt::format("{}", *fraction);
  return std::nullopt;
}

void set(std::vector<std::pair<std::string, std::string>>& settings, std::string_view name, std::string value) {
  for (auto& [own, text] : settings) {
    if (own != name) continue;
    text = std::move(value);
    return;
  }
  settings.emplace_back(name, std::move(value));
}

void read_config(TableReader& in, ModuleOptions& options) {
  const Value* value = in.any("config", "table of settings: text, number, boolean, or a secret", "{}");
  if (value == nullptr) return;
  const Table* table = value->as<Table>();
  if (table == nullptr) {
    in.refuse("config", *value, "a table, as { limit = 60 }");
    return;
  }
  if (!options.config) options.config.emplace();
  // A reader of its own: every key is known.
  TableReader settings(*table, value->line, "config", {in.reading().diagnostics, nullptr});
  for (const auto& [name, setting] : table->entries) {
    std::optional<std::string> plain = setting_text(setting);
    std::string text;
    if (const std::string* given = setting.as<std::string>()) {
      settings.any(name, "text");
      set(*options.config, name, *given);
    } else if (plain) {
      settings.any(name, "text");
      set(*options.config, name, *std::move(plain));
    } else if (settings.secret(name, text)) {
      set(*options.config, name, std::move(text));
    }
  }
}

void read_allow(TableReader& in, ModuleOptions& options) {
  in.table("allow", [&options](TableReader& table) { table.texts("key_value", options.key_value, "names of stores"); });
}

}  // namespace

void read_module_options(TableReader& in, ModuleOptions& options) {
  in.boolean("body", options.body);
  read_on_failure(in, options.on_failure);
  in.one_of("instance", options.instance, kInstanceModes);
  read_reuse(in, options);
  read_limits(in, options.limits);
  read_config(in, options);
  read_allow(in, options);
  if (Status checked = modules::check_options(options); !checked) in.mistake(checked.error().detail);
}

ModuleEntry read_module(TableReader& in, const std::string& directory) {
  ModuleEntry module;
  module.line = in.line();
  in.require("name", "\"auth\"");
  in.name("name", module.name);
  std::string file;
  in.require("file", "\"modules/auth.wasm\"");
  if (in.text("file", file)) {
    module.path = (std::filesystem::path(directory) / file).lexically_normal().string();
    std::error_code failure;
    if (!std::filesystem::is_regular_file(module.path, failure))
      in.mistake("file", fmt::format("there is no file {}", file));
  }
  read_attach(in, module.attach);
  read_module_options(in, module.options);
  return module;
}

}  // namespace sandgate::config
