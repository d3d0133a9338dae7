// SPDX-License-Identifier: Apache-2.0
//
// The folder that a server keeps its modules in, held by one server at a time. The lock is the kernel's and goes with
// the process, however that ends.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "platform/descriptor.h"

namespace sandgate::modules {

class DataDirectory {
 public:
  // Makes the folder (0700) when there is none. kDenied with the command that mends it when it is not ours or others
  // can write it, kOverloaded when another server holds it, kInternal. Waits a moment for a server that is just ending.
  static Result<DataDirectory> open(const std::string& given);

  std::string path_of(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  DataDirectory(std::string path, platform::Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  platform::Descriptor lock_;
};

}  // namespace sandgate::modules
