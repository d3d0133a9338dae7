// SPDX-License-Identifier: Apache-2.0
#include "tests/support/neighbour.h"

#include <algorithm>

#include "tests/support/http_client.h"

namespace sandgate::test {

Neighbour::Neighbour(std::uint16_t port) : thread_([this, port] { run(port); }) {
  while (served_ + failed_ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void Neighbour::end() {
  ended_ = true;
  if (thread_.joinable()) thread_.join();
}

void Neighbour::run(std::uint16_t port) {
  RawClient client(port);
  while (!ended_) {
    auto begun = std::chrono::steady_clock::now();
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    bool answered = client.receive_response().status == 200;
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    longest_wait_ms_ = std::max<std::int64_t>(longest_wait_ms_, took.count());
    (answered ? served_ : failed_)++;
  }
}

}  // namespace sandgate::test
