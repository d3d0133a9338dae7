// SPDX-License-Identifier: Apache-2.0
#include "http/field_line.h"

#include "base/ascii.h"
#include "http/byte_class.h"

namespace sandgate::http {

std::string_view parse_field_line(std::string_view line, Field& field) {
  const auto colon = static_cast<std::size_t>(find_non_token(line.data(), line.data() + line.size()) - line.data());
  if (colon == line.size()) return "a field line has no colon; send `name: value`";
  if (line[colon] != ':') {
    if (colon == 0 && (line[0] == ' ' || line[0] == '\t')) {
      return "a field line begins with white space; send each field on one line, without folding";
    }
    if (line[colon] == ' ' || line[colon] == '\t') {
      return "white space stands before the colon of a field line; put the colon directly after the name";
    }
    return "a field name has a byte that is not allowed in names; use letters, digits and hyphens";
  }
  if (colon == 0) return "a field line has no name; send `name: value`";
  field.name = line.substr(0, colon);
  field.value = trimmed(line.substr(colon + 1));
  field.id = field_id(field.name);
  return {};
}

}  // namespace sandgate::http
