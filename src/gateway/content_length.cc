// SPDX-License-Identifier: Apache-2.0
#include "gateway/content_length.h"

#include <charconv>
#include <string>
#include <string_view>

namespace sandgate::gateway {

std::optional<std::uint64_t> content_length(const http::Fields& fields) {
  std::optional<std::string_view> text = fields.find(http::FieldId::kContentLength);
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (failure != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return length;
}

void update_content_length(http::Fields& fields, std::uint64_t bytes) {
  if (fields.has(http::FieldId::kContentLength))
    fields.set("content-length", fields.arena().copy(std::to_string(bytes)));
}

}  // namespace sandgate::gateway
