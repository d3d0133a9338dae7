// SPDX-License-Identifier: Apache-2.0
//
// The upstream of the demo: a server in the same process that answers every request with what it saw of it, as JSON.
#pragma once

#include <memory>

#include "base/result.h"
#include "exchange/handler.h"
#include "net/address.h"

namespace sandgate::cli {

class DemoWorker {
 public:
  // Listens on a free loopback port with a loop of its own.
  static Result<std::unique_ptr<DemoWorker>> start();
  virtual ~DemoWorker() = default;
  virtual const net::Address& address() const = 0;
};

}  // namespace sandgate::cli
