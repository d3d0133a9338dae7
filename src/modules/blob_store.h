// SPDX-License-Identifier: Apache-2.0
//
// The bytes of deployed modules in a folder, one file per content: SHA256.wasm. Blocking; read() from any thread, the
// rest one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace sandgate::modules {

class BlobStore {
 public:
  explicit BlobStore(std::string directory) : directory_(std::move(directory)) {}

  // Makes the folder when there is none. As platform::make_private_directory.
  Status prepare() const;
  // On disk when it returns; a file of that name is replaced, for it may be damaged. kInternal.
  Status write(std::string_view sha256_hex, std::string_view content) const;
  // The content that has this digest. kNotFound, kInvalid when it has another one; the detail is for reports.
  Result<std::string> read(std::string_view sha256_hex) const;
  // Failing to is no harm: the next start tries again.
  void remove(std::string_view sha256_hex) const;

  bool empty() const;
  // Removes contents that nobody needs any more, and what a crash left half written.
  void remove_unless(const std::function<bool(std::string_view sha256_hex)>& needed) const;

 private:
  std::string path_of(std::string_view sha256_hex) const;

  const std::string directory_;
};

}  // namespace sandgate::modules
