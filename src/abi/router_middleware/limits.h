// SPDX-License-Identifier: Apache-2.0
//
// How much a guest may edit. Its budget already bounds what it can hand over at all; these bound what one call can put
// on a message, and so on every stage after it.
#pragma once

#include <cstddef>

namespace sandgate::abi::router_middleware {

// In each of the lists set, add and remove. As many as a head may have lines (http/limits.h): nobody needs to edit more
// than there is.
inline constexpr std::size_t kEditsMax = 100;
// Names and values of all lists together. Twice a whole head: room for large cookies, not for a body in disguise.
inline constexpr std::size_t kEditBytesMax = 65536;
// What an upstream or a client can be told: a final status. 1xx are no answers, above 599 nobody knows the class (RFC
// 9110 section 15).
inline constexpr int kStatusMin = 200;
inline constexpr int kStatusMax = 599;

}  // namespace sandgate::abi::router_middleware
