// SPDX-License-Identifier: Apache-2.0
//
// The options of a module in JSON, read from a deploy request, written into reports, and kept by the index.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "modules/module_options.h"

namespace sandgate::modules {

// Reads the option members of a module; what is absent keeps its default. The error is a text that names the member
// ("modules[0].body: expected true or false"); `at` is where the object stands.
std::expected<ModuleOptions, std::string> parse_module_options(const boost::json::object& object,
                                                               const std::string& at);

// Values of settings may be secrets: reports show their names only.
enum class SettingValues : unsigned char { kHidden, kShown };
// The same as members of an object, each with a comma before it: `,"body":true,...`. "on_failure" is null when the
// attach point decides. With kHidden "config" is a list of names.
void append_module_options(std::string& out, const ModuleOptions& options,
                           SettingValues values = SettingValues::kHidden);

// The options as one JSON object, whole, and back. The error is a text.
std::string stored_options(const ModuleOptions& options);
std::expected<ModuleOptions, std::string> parse_stored_options(std::string_view text);

}  // namespace sandgate::modules
