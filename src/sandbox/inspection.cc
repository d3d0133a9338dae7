// SPDX-License-Identifier: Apache-2.0
#include "sandbox/inspection.h"

#include <memory>

#include "sandbox/engine_error.h"
#include "sandgate_engine.h"

namespace sandgate::sandbox {
namespace {

std::vector<std::string> to_texts(sg_bytes_list list) {
  std::vector<std::string> texts;
  texts.reserve(list.len);
  for (std::size_t i = 0; i < list.len; ++i) texts.emplace_back(to_text(list.data[i]));
  return texts;
}

}  // namespace

Result<Inspection> inspect(std::string_view wasm) {
  if (!wasm.starts_with(std::string_view("\0asm", 4)))
    return fail(ErrorKind::kInvalid, "this is not a WebAssembly binary: it does not begin with the bytes 00 61 73 6d");
  sg_inspection* made = nullptr;
  if (sg_error* error = ::sg_inspect(to_bytes(wasm), &made)) return fail(take_error(error));
  std::unique_ptr<sg_inspection, decltype(&::sg_inspection_drop)> inspection(made, &::sg_inspection_drop);
  return Inspection{std::string(to_text(::sg_inspection_kind(made))), to_texts(::sg_inspection_imports(made)),
                    to_texts(::sg_inspection_exports(made))};
}

}  // namespace sandgate::sandbox
