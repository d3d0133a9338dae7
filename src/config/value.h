// SPDX-License-Identifier: Apache-2.0
//
// A configuration file as a tree of values that know their lines. Immutable once read.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sandgate::config {

struct Value;
struct Entry;

using Array = std::vector<Value>;

// In the order of the file.
struct Table {
  Table();
  Table(std::initializer_list<Entry> list);
  Table(const Table&);
  Table(Table&&) noexcept;
  Table& operator=(const Table&);
  Table& operator=(Table&&) noexcept;
  ~Table();

  std::vector<Entry> entries;

  // Null when there is none.
  const Value* find(std::string_view key) const;
};

struct Value {
  // A kind of TOML that no setting has (dates): kept, so that it can be named in an error.
  struct Other {
    std::string_view kind;
  };
  using Content = std::variant<bool, std::int64_t, double, std::string, Array, Table, Other>;

  Content content;
  unsigned line = 0;

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&content);
  }
  // "text", "a number", "a list": what it is, for errors.
  std::string_view kind() const;
};

struct Entry {
  std::string key;
  Value value;
};

// Here, where an entry is known.
inline Table::Table() = default;
inline Table::Table(std::initializer_list<Entry> list) : entries(list) {}
inline Table::Table(const Table&) = default;
inline Table::Table(Table&&) noexcept = default;
inline Table& Table::operator=(const Table&) = default;
inline Table& Table::operator=(Table&&) noexcept = default;
inline Table::~Table() = default;

inline const Value* Table::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

}  // namespace sandgate::config
