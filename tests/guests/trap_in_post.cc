// SPDX-License-Identifier: Apache-2.0
//
// Answers well and then traps in the post-return function, when the host has read the answer.
#include "raw_hook.h"

static const sandgate::guest::canonical::Action proceeding{.tag = sandgate::guest::canonical::Tag::proceed,
                                                           .modify = {}};

RAW_ON_REQUEST(query) { return address_of(&proceeding); }
RAW_ON_RESPONSE() { return address_of(&proceeding); }

extern "C" [[clang::export_name("cabi_post_sgl:router/middleware-on-request#on-request")]] void after_request(
    std::uint32_t) {
  __builtin_trap();
}
extern "C" [[clang::export_name("cabi_post_sgl:router/middleware-on-response#on-response")]] void after_response(
    std::uint32_t) {
  __builtin_trap();
}
