// SPDX-License-Identifier: Apache-2.0
//
// The folder that a server keeps its modules in, held by one server at a time, or by one and its successor. The lock is
// the kernel's and goes with the processes, however those end.
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
  // The same in the place of the server that shared `lock`, when that is the lock of this folder: both hold it until
  // the other one ends.
  static Result<DataDirectory> open(const std::string& given, const platform::Descriptor& lock);

  std::string path_of(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  // The lock for another process, which then holds it too, and longer than this one. kInternal: no descriptor is left.
  Result<platform::Descriptor> share_lock() const;
  // Whether another server may still hold it: the lock is one that was shared.
  bool shared() const { return shared_; }

 private:
  DataDirectory(std::string path, platform::Descriptor lock, bool shared)
      : path_(std::move(path)), lock_(std::move(lock)), shared_(shared) {}

  std::string path_;
  platform::Descriptor lock_;
  bool shared_;
};

}  // namespace sandgate::modules
