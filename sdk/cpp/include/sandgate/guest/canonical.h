// SPDX-License-Identifier: Apache-2.0
//
// The canonical ABI of the router middleware world (wit/sgl-router/spec.wit) as it lies in linear memory: what the
// host writes before a call and reads after it. The layouts are fixed by the component model's CanonicalABI document
// ("alignment", "element size", "storing"); a mistake here is found by the static_asserts, which hold on wasm32.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sandgate::guest::canonical {

// list<T> and string: address and number of elements. Text is UTF-8, never terminated by a NUL.
template <class T>
struct List {
  T* data;
  std::uint32_t size;
};

using String = List<const char>;
using Bytes = List<const char>;

struct Header {
  String name;
  String value;
};

// record modify-action
struct Modify {
  std::uint8_t has_status;
  std::uint16_t status;
  List<Header> headers_set;
  List<Header> headers_add;
  List<String> headers_remove;
  std::uint8_t has_body;
  Bytes body;
};

// The cases of variant action, in the order of the interface file.
enum class Tag : std::uint8_t { proceed = 0, reject = 1, modify = 2 };

// variant action. `reject` holds the status of that case, `modify` the record of the third.
struct Action {
  Tag tag;
  union {
    std::uint16_t reject;
    Modify modify;
  };
};

#if defined(__wasm32__)
static_assert(sizeof(String) == 8 && alignof(String) == 4);
static_assert(sizeof(Header) == 16 && offsetof(Header, value) == 8);
static_assert(offsetof(Modify, status) == 2 && offsetof(Modify, headers_set) == 4);
static_assert(offsetof(Modify, headers_add) == 12 && offsetof(Modify, headers_remove) == 20);
static_assert(offsetof(Modify, has_body) == 28 && offsetof(Modify, body) == 32);
static_assert(sizeof(Modify) == 40);
static_assert(offsetof(Action, reject) == 4 && offsetof(Action, modify) == 4);
static_assert(sizeof(Action) == 44 && alignof(Action) == 4);
#endif

}  // namespace sandgate::guest::canonical
