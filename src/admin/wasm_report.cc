// SPDX-License-Identifier: Apache-2.0
#include "admin/wasm_report.h"

#include <fmt/core.h>

#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

#include "exchange/problem.h"
#include "modules/module_options_json.h"
#include "platform/clock.h"

namespace sandgate::admin {
namespace {

using modules::AttachPoint;
using modules::DeployedModule;

void append_text_member(std::string& out, std::string_view name, std::string_view value) {
  out += '"';
  out += name;
  out += "\":\"";
  append_json_string(out, value);
  out += "\",";
}

void append_attach_points(std::string& out, const std::vector<AttachPoint>& points) {
  out += R"("attach_points":[)";
  std::string_view separator;
  for (AttachPoint point : points) {
    out += separator;
    fmt::format_to(std::back_inserter(out), R"({{"Middleware":"{}"}})", modules::attach_point_name(point));
    separator = ",";
  }
  out += ']';
}

// Nanoseconds as decimal milliseconds without trailing zeros: 50000000 is "50", 1234500 is "1.2345".
std::string milliseconds(std::uint64_t ns) {
  constexpr std::uint64_t kNanosecondsPerMillisecond = 1'000'000;
  std::string text = fmt::format("{}.{:06}", ns / kNanosecondsPerMillisecond, ns % kNanosecondsPerMillisecond);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string average_milliseconds(const modules::ExecutionTotals& totals) {
  std::string text = milliseconds(totals.executions == 0 ? 0 : totals.total_ns / totals.executions);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

void append_module(std::string& out, const DeployedModule& module) {
  std::int64_t accessed = module.counters->last_accessed_unix_ns.load(std::memory_order_relaxed);
  if (accessed == 0) accessed = module.created_unix_ns;
  out += '{';
  append_text_member(out, "module_uuid", module.uuid);
  out += R"("module_meta":{)";
  append_text_member(out, "name", module.name);
  append_text_member(out, "file_path", module.file_path);
  append_text_member(out, "sha256_hash", module.sha256_hex);
  fmt::format_to(std::back_inserter(out), R"("size_bytes":{},)", module.size_bytes);
  append_text_member(out, "created_at", platform::format_rfc3339(module.created_unix_ns));
  append_text_member(out, "last_accessed_at", platform::format_rfc3339(accessed));
  fmt::format_to(std::back_inserter(out), R"("access_count":{},)",
                 module.counters->access_count.load(std::memory_order_relaxed));
  append_attach_points(out, module.attach_points);
  modules::append_module_options(out, module.options);
  fmt::format_to(std::back_inserter(out), R"(,"owner":"{}")", modules::module_owner_name(module.owner));
  if (!module.unavailable.empty()) {
    out += R"(,"unavailable":")";
    append_json_string(out, module.unavailable);
    out += '"';
  }
  out += "}}";
}

}  // namespace

std::string deploy_report(std::span<const DeployOutcome> outcomes) {
  std::string out = R"({"modules":[)";
  std::string_view separator;
  for (const DeployOutcome& outcome : outcomes) {
    out += separator;
    out += '{';
    append_text_member(out, "name", outcome.descriptor.name);
    append_text_member(out, "file_path", outcome.descriptor.file_path);
    append_text_member(out, "module_type", "Middleware");
    append_attach_points(out, outcome.descriptor.attach_points);
    modules::append_module_options(out, outcome.descriptor.options);
    out += outcome.uuid ? R"(,"add_result":{"Success":")" : R"(,"add_result":{"Error":")";
    append_json_string(out, outcome.uuid ? *outcome.uuid : outcome.uuid.error().detail);
    out += "\"}}";
    separator = ",";
  }
  out += "]}\n";
  return out;
}

std::string module_report(const modules::Snapshot& snapshot, const modules::ExecutionTotals& totals) {
  std::string out = R"({"modules":[)";
  std::string_view separator;
  for (const auto& module : snapshot.all) {
    out += separator;
    append_module(out, *module);
    separator = ",";
  }
  fmt::format_to(std::back_inserter(out),
                 R"(],"metrics":{{"total_executions":{},"successful_executions":{},"failed_executions":{},)"
                 R"("total_execution_time_ms":{},"max_execution_time_ms":{},"average_execution_time_ms":{}}}}})",
                 totals.executions, totals.successes, totals.failures, milliseconds(totals.total_ns),
                 milliseconds(totals.max_ns), average_milliseconds(totals));
  out += '\n';
  return out;
}

std::string module_report(const modules::DeployedModule& module) {
  std::string out;
  append_module(out, module);
  out += '\n';
  return out;
}

}  // namespace sandgate::admin
