// SPDX-License-Identifier: Apache-2.0
//
// A sink that adds the field Server-Timing (W3C Server Timing) to the final head: what each module decided and how long
// it took, as auth-OnRequest;dur=0.006;desc="continue". Lives in the frame that serves the exchange, around the real
// sink. Loop thread only.
#pragma once

#include <optional>
#include <string_view>

#include "exchange/exchange.h"

namespace sandgate::gateway {

class ServerTiming final : public ResponseSink {
 public:
  // Longer fields tell nobody more; modules beyond it are left out.
  static constexpr std::size_t kFieldBytesMax = 1024;

  // Takes the place of the exchange's sink until it is destroyed.
  explicit ServerTiming(Exchange& exchange) : exchange_(exchange), inner_(exchange.sink()) { exchange.set_sink(*this); }
  ServerTiming(const ServerTiming&) = delete;
  ServerTiming& operator=(const ServerTiming&) = delete;
  ~ServerTiming() override { exchange_.set_sink(inner_); }

  Task<Status> informational(const http::ResponseHead& head) override { return inner_.informational(head); }
  Task<Status> start(const http::ResponseHead& head, std::optional<std::uint64_t> length) override;
  Task<Status> write(std::string_view bytes) override { return inner_.write(bytes); }
  Task<Status> finish(const http::Fields* trailers) override { return inner_.finish(trailers); }
  void abort() override { inner_.abort(); }
  bool committed() const override { return inner_.committed(); }

 private:
  std::string_view field_value() const;

  Exchange& exchange_;
  ResponseSink& inner_;
};

}  // namespace sandgate::gateway
