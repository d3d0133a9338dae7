// SPDX-License-Identifier: Apache-2.0
//
// The table `tls` of whatever speaks TLS as a client: { verify, ca_file, server_name }.
#pragma once

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "config/table_reader.h"

namespace sandgate::config {

// `Tls` has these three, `verify` as an enum Verify. A relative file begins in `directory`. Blocking: looks for the
// file. Returns whether the table is there.
template <typename Tls>
bool read_tls(TableReader& in, const std::string& directory, Tls& tls) {
  return in.table("tls", [&](TableReader& table) {
    bool verify = true;
    table.boolean("verify", verify);
    tls.verify = verify ? Tls::Verify::kOn : Tls::Verify::kOff;
    std::string file;
    if (table.text("ca_file", file)) {
      tls.ca_file = (std::filesystem::path(directory) / file).lexically_normal().string();
      std::error_code failure;
      if (!std::filesystem::is_regular_file(tls.ca_file, failure))
        table.mistake("ca_file", fmt::format("there is no file {}", file));
    }
    table.text("server_name", tls.server_name);
  });
}

}  // namespace sandgate::config
