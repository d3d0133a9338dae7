// SPDX-License-Identifier: Apache-2.0
#include "gateway/worker_urls.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/ascii.h"
#include "http/target.h"
#include "platform/log.h"

namespace sandgate::gateway {
namespace {

constexpr std::string_view kForm = "write it as http://HOST:PORT, for example http://127.0.0.1:30000";
// A URL in a message is cut here.
constexpr std::size_t kShownBytesMax = 200;

std::string shown(std::string_view url) { return log::escaped(url, kShownBytesMax); }

std::unexpected<Error> refuse(std::string_view url, std::string_view what) {
  return fail(ErrorKind::kInvalid, fmt::format("--worker-urls {}: {}; {}", shown(url), what, kForm));
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), ascii_lower);
  return lower;
}

Result<ServerOptions> parse_worker_url(std::string_view url) {
  std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return refuse(url, "the scheme is missing");
  std::string scheme = lower_case(url.substr(0, scheme_end));
  if (scheme == "https") {
    return fail(ErrorKind::kUnsupported,
                fmt::format("--worker-urls {}: https to workers is not supported yet; use http:// on a trusted network",
                            shown(url)));
  }
  if (scheme != "http") return refuse(url, "the scheme must be http");
  std::string_view rest = url.substr(scheme_end + 3);
  std::size_t authority_end = rest.find_first_of("/?#");
  std::string_view authority_text = rest.substr(0, authority_end);
  std::string_view path = authority_end == std::string_view::npos ? std::string_view() : rest.substr(authority_end);
  if (authority_text.empty()) return refuse(url, "the host is missing");
  if (authority_text.find('@') != std::string_view::npos) return refuse(url, "user and password are not supported");
  std::optional<http::Authority> authority = http::parse_authority(authority_text);
  if (!authority) return refuse(url, "the host or port is not valid");
  ServerOptions worker;
  worker.host = lower_case(authority->host);
  if (!authority->port.empty()) {
    std::from_chars(authority->port.data(), authority->port.data() + authority->port.size(), worker.port);
  }
  if (!path.empty() && path != "/") {
    return fail(ErrorKind::kInvalid,
                fmt::format("--worker-urls {}: a worker is a server, without path, query or fragment; write http://{}",
                            shown(url), worker.authority()));
  }
  if (worker.host == "0.0.0.0") worker.host = "127.0.0.1";
  if (worker.host == "::") worker.host = "::1";
  return worker;
}

}  // namespace

Result<std::vector<ServerOptions>> parse_worker_urls(std::span<const std::string> values) {
  std::vector<ServerOptions> workers;
  std::optional<Error> first_error;
  for (const std::string& value : values) {
    for_each_list_element(value, [&](std::string_view url) {
      if (first_error) return;
      Result<ServerOptions> worker = parse_worker_url(url);
      if (!worker) {
        first_error = worker.error();
      } else if (std::ranges::find(workers, *worker) != workers.end()) {
        first_error =
            Error(ErrorKind::kInvalid, fmt::format("--worker-urls {}: http://{} is given twice; name each worker once",
                                                   shown(url), worker->authority()));
      } else {
        workers.push_back(*std::move(worker));
      }
    });
  }
  if (first_error) return fail(*std::move(first_error));
  if (workers.empty()) return fail(ErrorKind::kInvalid, fmt::format("--worker-urls names no worker; {}", kForm));
  if (workers.size() > UpstreamOptions::kServersMax) {
    return fail(ErrorKind::kInvalid, fmt::format("--worker-urls names {} workers; at most {} are served",
                                                 workers.size(), UpstreamOptions::kServersMax));
  }
  return workers;
}

}  // namespace sandgate::gateway
