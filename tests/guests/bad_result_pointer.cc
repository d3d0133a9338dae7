// SPDX-License-Identifier: Apache-2.0
//
// Returns an address that holds no action. The query picks one: ?unaligned, ?end (the last 4 bytes of memory, 40 too
// few); without one, and on responses, far outside of the memory.
#include "raw_hook.h"

static const sandgate::guest::canonical::Action proceeding{.tag = sandgate::guest::canonical::Tag::proceed,
                                                           .modify = {}};

RAW_ON_REQUEST(query) {
  if (query == "unaligned") return address_of(&proceeding) + 1;
  if (query == "end") return static_cast<std::uint32_t>(__builtin_wasm_memory_size(0) * 65536 - 4);
  return 0xfffffff0u;
}
RAW_ON_RESPONSE() { return 0xfffffff0u; }
