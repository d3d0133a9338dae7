// SPDX-License-Identifier: Apache-2.0
//
// Reads the settings of one table. Each call names a key, where its value goes, and what it may be; the place keeps its
// default when the file does not have the key. A value that is wrong is a diagnostic with the line and what to write
// instead; keys that nobody asked for are mistakes too, found when the reader ends.
//
// Given a catalogue, it lists the keys with their defaults as well: docs/configuration.md is checked against that.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "config/diagnostics.h"
#include "config/value.h"

namespace sandgate::config {

// What may be written, for the documentation.
struct CataloguedKey {
  std::string key;       // "upstream.health.interval"
  std::string accepts;   // "duration, 100ms to 1h"
  std::string standard;  // the default as it would be written; empty: none

  bool operator==(const CataloguedKey&) const = default;
};
using Catalogue = std::vector<CataloguedKey>;

// Where mistakes go, and the catalogue that is being made, if any.
struct Reading {
  Diagnostics& diagnostics;
  Catalogue* catalogue = nullptr;
};

template <typename T>
struct Range {
  T least;
  T most;
};

class TableReader {
 public:
  // `name` is how the table is called in messages, and the prefix of its keys: "upstream.health". The table and what
  // `reading` refers to outlive the reader.
  TableReader(const Table& table, unsigned line, std::string name, const Reading& reading)
      : table_(table), line_(line), name_(std::move(name)), reading_(reading) {}
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;
  // Tells of keys that nobody asked for.
  ~TableReader();

  // The line where the table begins.
  unsigned line() const { return line_; }
  unsigned line_of(std::string_view key) const;
  bool has(std::string_view key) const { return table_.find(key) != nullptr; }

  // Each returns whether the key is there with a value that was taken.
  bool text(std::string_view key, std::string& target);
  // Not empty, at most `bytes_max`, of [A-Za-z0-9._-].
  bool name(std::string_view key, std::string& target);
  bool boolean(std::string_view key, bool& target);
  bool number(std::string_view key, std::uint64_t& target, Range<std::uint64_t> range);
  template <typename Unsigned>
  bool count(std::string_view key, Unsigned& target, Range<Unsigned> range) {
    auto wide = static_cast<std::uint64_t>(target);
    bool taken = number(key, wide, {static_cast<std::uint64_t>(range.least), static_cast<std::uint64_t>(range.most)});
    target = static_cast<Unsigned>(wide);
    return taken;
  }
  // "5s"; see units.h.
  bool duration(std::string_view key, Milliseconds& target, Range<Milliseconds> range);
  // "16MiB", or a number of bytes.
  bool bytes(std::string_view key, std::uint64_t& target, Range<std::uint64_t> range);
  // One text or a list of texts, none of them empty.
  bool texts(std::string_view key, std::vector<std::string>& target, std::string_view of_what);
  // One of the names; the target is its index.
  bool choice(std::string_view key, std::size_t& target, std::span<const std::string_view> names);
  template <typename Enum>
  bool one_of(std::string_view key, Enum& target, std::span<const std::string_view> names) {
    auto index = static_cast<std::size_t>(target);
    bool taken = choice(key, index, names);
    target = static_cast<Enum>(index);
    return taken;
  }
  // A table of settings: calls `read(TableReader&)` when it is there, and for the catalogue.
  template <typename Read>
  bool table(std::string_view key, Read&& read) {
    const Value* value = find(key);
    if (reading_.catalogue != nullptr) {
      Table none;
      TableReader inner(none, 0, joined(key), reading_);
      read(inner);
    }
    if (value == nullptr) return false;
    const Table* inner = value->as<Table>();
    if (inner == nullptr) return refuse(key, *value, "a table, as { name = value }");
    TableReader reader(*inner, value->line, joined(key), reading_);
    read(reader);
    return true;
  }
  // [[key]]: calls `read(TableReader&)` for each, and once for the catalogue.
  template <typename Read>
  void tables(std::string_view key, Read&& read) {
    if (reading_.catalogue != nullptr) {
      Table none;
      TableReader inner(none, 0, joined(key), reading_);
      read(inner);
    }
    const Value* value = find(key);
    if (value == nullptr) return;
    const Array* array = value->as<Array>();
    if (array == nullptr) {
      refuse(key, *value, "[[" + std::string(key) + "]] with double brackets: there may be several");
      return;
    }
    for (const Value& element : *array) {
      const Table* inner = element.as<Table>();
      if (inner == nullptr) {
        refuse(key, element, "a table in its own [[" + std::string(key) + "]]");
        continue;
      }
      TableReader reader(*inner, element.line, joined(key), reading_);
      read(reader);
    }
  }
  // A value whose form is the caller's business; null when the key is not there.
  const Value* any(std::string_view key, std::string_view accepts, std::string_view standard = {});
  // The same for secrets: text, { env = "NAME" } or { file = "PATH" }. A secret that cannot be had is a mistake.
  bool secret(std::string_view key, std::string& target);

  // The table must have the key.
  void require(std::string_view key, std::string_view such_as);
  void mistake(std::string_view key, std::string message);
  // Of the table as a whole.
  void mistake(std::string message);
  // Mistake: `value` of `key` should be `wanted`. False, for returning.
  bool refuse(std::string_view key, const Value& value, std::string_view wanted);

  const Reading& reading() const { return reading_; }

 private:
  const Value* find(std::string_view key);
  void list(std::string_view key, std::string accepts, std::string standard);
  std::string joined(std::string_view key) const;

  const Table& table_;
  unsigned line_;
  std::string name_;
  Reading reading_;
  std::vector<std::string> known_;
};

}  // namespace sandgate::config
