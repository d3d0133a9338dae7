// SPDX-License-Identifier: Apache-2.0
//
// Looks the name of one server up again every now and then, and tells its pools where it is now. A look-up that fails
// changes nothing: the last addresses are the best guess. On one loop, and let go of there.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/loop.h"
#include "gateway/health_check.h"
#include "gateway/upstream_server.h"
#include "net/address.h"
#include "net/resolver.h"

namespace sandgate::gateway {

// Whether a host is an address, which needs no look-up.
bool is_address(const std::string& host);

class NameWatch final : public std::enable_shared_from_this<NameWatch> {
 public:
  // `server` belongs to what start() is given; `resolver` outlives the upstream's use; `loops` are all of the
  // upstream's; `known` is where the server is now.
  NameWatch(UpstreamServer& server, net::Resolver& resolver, Loop& loop, std::span<Loop* const> loops,
            std::vector<net::Address> known);

  // `check` of the same server and loop hears of changes too; may be null.
  void start(std::weak_ptr<void> upstream, std::shared_ptr<HealthCheck> check);
  void stop();

 private:
  static void due(void* owner);
  void found(Result<std::vector<net::Address>> addresses, const std::shared_ptr<void>& upstream);

  UpstreamServer& server_;
  net::Resolver& resolver_;
  Loop& loop_;
  std::vector<Loop*> loops_;
  std::vector<net::Address> known_;
  std::weak_ptr<void> upstream_;
  std::shared_ptr<HealthCheck> check_;
  Timer next_;
  bool stopped_ = false;
};

}  // namespace sandgate::gateway
