// SPDX-License-Identifier: Apache-2.0
//
// Reads what a gateway's APIs answer.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

namespace sandgate::cli {

// Nothing when the body is no JSON.
std::optional<boost::json::value> parse_reply(const std::string& body);

// A member of an object as text, whatever it is; empty when there is none.
std::string member(const boost::json::value& value, boost::json::string_view name);

}  // namespace sandgate::cli
