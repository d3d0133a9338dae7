// SPDX-License-Identifier: Apache-2.0
//
// The options of a module in JSON, read from a deploy request and written into reports.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>

#include "modules/module_options.h"

namespace sandgate::admin {

// Reads the option members of a module; what is absent keeps its default. The error is a text that names the member
// ("modules[0].body: expected true or false"); `at` is where the object stands.
std::expected<modules::ModuleOptions, std::string> parse_module_options(const boost::json::object& object,
                                                                        const std::string& at);

// The same as members of an object, each with a comma before it: `,"body":true,...`. "on_failure" is null when the
// attach point decides. Values of settings may be secrets: only their names are shown.
void append_module_options(std::string& out, const modules::ModuleOptions& options);

}  // namespace sandgate::admin
