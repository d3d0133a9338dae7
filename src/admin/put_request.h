// SPDX-License-Identifier: Apache-2.0
//
// What PUT /wasm/NAME says in its query and fields: how the module in the body is attached and run.
//
//   attach=OnRequest,OnResponse      required; empty: deployed, but never runs
//   on_failure=closed  body=false  instance=reuse  reuse.max_calls=1000  reuse.max_age_s=60
//   allow=key_value:NAME             several with commas
//
// Each at most once; what is absent keeps its default. They mean what the members of POST mean. Settings may be secrets
// and targets are logged, so they come in fields, one each: "Sandgate-Config: name=value", both percent-encoded. Pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/field.h"
#include "modules/descriptor.h"

namespace sandgate::admin {

// The descriptor without a path. kInvalid names the parameter and says what to write; unknown ones are refused.
// Without a field for settings `config` is not granted.
Result<modules::Descriptor> parse_put_request(std::string_view name, std::string_view query,
                                              const http::Fields& fields);

}  // namespace sandgate::admin
