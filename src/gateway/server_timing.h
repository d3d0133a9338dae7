// SPDX-License-Identifier: Apache-2.0
//
// A sink that adds the field Server-Timing (https://www.w3.org/TR/server-timing/) to the final head, in milliseconds:
//
//   total;dur=3.210, upstream-connect;dur=0.204, upstream-first-byte;dur=2.811,
//   auth-OnRequest;dur=0.006;desc="continue"
//
// total is from the end of the request's head to this one; upstream-connect until the last server tried had a
// connection for the request, upstream-first-byte from there to its answer; then what each module decided. Lives in the
// frame that serves the exchange, around the real sink. Loop thread only.
#pragma once

#include <optional>
#include <string_view>

#include "exchange/exchange.h"

namespace sandgate::gateway {

// Who learns how long things took: it tells of modules and upstreams behind the gateway.
enum class ServerTimingRule : unsigned char {
  kOff,
  kAlways,
  kOnRequest,  // a client at a trusted address that sends x-server-timing: 1
};

class ServerTiming final : public ResponseSink {
 public:
  // Longer fields tell nobody more; modules beyond it are left out.
  static constexpr std::size_t kFieldBytesMax = 1024;

  // Whether the request asks for the field. Anybody can; whether they may is for others to say.
  static bool asked_for(const Exchange& exchange);

  // Takes the place of the exchange's sink until it is destroyed, and has the exchange's record keep what it needs.
  explicit ServerTiming(Exchange& exchange);
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
