// SPDX-License-Identifier: Apache-2.0
//
// Lists that cost the host more than they are worth. The query picks one:
//   ?overflow   2^28 + 1 fields: the size in bytes wraps around to 16
//   ?outside    more fields than the memory holds
//   ?body       a body of 4 GiB - 1
//   ?many       200,000 empty fields, all of them in memory
//   ?repeat     1,000 fields that share one value of 1 MiB
//   ?large      one value of 8 MiB
// Without a query, and on responses, as ?overflow.
#include "raw_hook.h"

using namespace sandgate::guest;

static canonical::Action action;

static canonical::Header* fields(std::uint32_t count, canonical::Header field) {
  auto* const list =
      static_cast<canonical::Header*>(memory().allocate(count * sizeof(canonical::Header), alignof(canonical::Header)));
  for (std::uint32_t i = 0; i != count; ++i) list[i] = field;
  return list;
}

static canonical::String text(std::uint32_t size) {
  auto* const at = static_cast<char*>(memory().allocate(size, 1));
  memset(at, 'a', size);
  return {at, size};
}

static std::uint32_t overflow() {
  action = {.tag = canonical::Tag::modify, .modify = {}};
  action.modify.headers_set = {fields(1, {{"x-a", 3}, {"1", 1}}), (1u << 28) + 1};
  return address_of(&action);
}

RAW_ON_REQUEST(query) {
  action = {.tag = canonical::Tag::modify, .modify = {}};
  if (query == "outside") {
    action.modify.headers_add = {fields(1, {{"x-a", 3}, {"1", 1}}), 1u << 24};
  } else if (query == "body") {
    action.modify.has_body = 1;
    action.modify.body = {"a", 0xffffffffu};
  } else if (query == "many") {
    action.modify.headers_add = {fields(200'000, {{"x-a", 3}, {"", 0}}), 200'000};
  } else if (query == "repeat") {
    action.modify.headers_add = {fields(1'000, {{"x-a", 3}, text(1u << 20)}), 1'000};
  } else if (query == "large") {
    action.modify.headers_set = {fields(1, {{"x-a", 3}, text(8u << 20)}), 1};
  } else {
    return overflow();
  }
  return address_of(&action);
}
RAW_ON_RESPONSE() { return overflow(); }
