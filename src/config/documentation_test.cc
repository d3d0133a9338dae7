// SPDX-License-Identifier: Apache-2.0
//
// docs/configuration.md has a row for each key that the readers know, with what it accepts and its default, and no
// other. A row of the page: | `key` | accepts | default | why |.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include "config/manifest.h"
#include "tests/support/paths.h"

namespace sandgate::config {
namespace {

// Cells of a row of a table, without their blanks; a bar within a cell is written \|.
std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> out;
  std::istringstream text(row.substr(1));
  for (std::string cell; std::getline(text, cell, '|');) {
    std::size_t first = cell.find_first_not_of(' ');
    std::size_t last = cell.find_last_not_of(' ');
    out.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return out;
}

TEST(Documentation, HasEveryKeyWithItsDefault) {
  std::map<std::string, std::string> documented;
  std::ifstream page(test::source_path("docs/configuration.md"));
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> row = cells(line);
    ASSERT_GE(row.size(), 4U) << line;
    EXPECT_FALSE(row[3].empty()) << "without a reason: " << line;
    documented[row[0]] = row[1] + " | " + row[2];
  }
  Catalogue catalogue;
  parse_manifest("", "/etc/sandgate", &catalogue);
  std::string missing;
  for (const CataloguedKey& known : catalogue) {
    std::string key = fmt::format("`{}`", known.key);
    std::string standard = known.standard.empty() ? "" : fmt::format("`{}`", known.standard);
    std::string expected = fmt::format("{} | {}", known.accepts, standard);
    auto found = documented.find(key);
    if (found == documented.end() || found->second != expected)
      missing += fmt::format("| {} | {} | {} | WHY |\n", key, known.accepts, standard);
    if (found != documented.end()) documented.erase(found);
  }
  EXPECT_EQ(missing, "") << "rows that docs/configuration.md should have";
  for (const auto& [key, text] : documented) ADD_FAILURE() << "there is no such key: " << key;
}

}  // namespace
}  // namespace sandgate::config
