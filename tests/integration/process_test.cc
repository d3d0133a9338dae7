// SPDX-License-Identifier: Apache-2.0
//
// The program itself: its words, its signals and its exit codes.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/integration/process.h"
#include "tests/integration/worker.h"
#include "tests/support/http_client.h"

namespace sandgate::test {
namespace {

bool contains(const std::string& text, std::string_view needle) { return text.find(needle) != std::string::npos; }

TEST(Program, StopsOnSigint) {
  Worker worker;
  Process gateway({"serve", "--worker-urls=" + worker.url(), "--port=0", "--threads=1"});
  std::uint16_t port = gateway.wait_until_it_listens();
  ASSERT_NE(port, 0) << gateway.text();
  EXPECT_EQ(get(port, "/status/200").status, 200);
  gateway.signal(SIGINT);
  EXPECT_EQ(gateway.wait(), 0) << gateway.text();
}

TEST(Program, DrainsOnSigterm) {
  Worker worker;
  Process gateway(
      {"serve", "--worker-urls", worker.url(), "--port", "0", "--threads", "1", "--enable-wasm", "--ephemeral"});
  std::uint16_t port = gateway.wait_until_it_listens();
  ASSERT_NE(port, 0) << gateway.text();
  RawClient idle(port);
  idle.send("GET /status/200 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(idle.receive_response().status, 200);
  RawClient busy(port);
  busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 2000 && worker.requests() < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  gateway.signal(SIGTERM);
  EXPECT_TRUE(idle.closed_by_peer());
  worker.release();
  Received response = busy.receive_response();
  EXPECT_EQ(response.body, "waited");
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_EQ(gateway.wait(), 0) << gateway.text();
}

TEST(Program, CutsWhatOutlivesTheDrain) {
  Worker worker;
  Process gateway({"serve", "--worker-urls", worker.url(), "--port", "0", "--threads", "1", "--drain-seconds", "0"});
  std::uint16_t port = gateway.wait_until_it_listens();
  RawClient busy(port);
  busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 2000 && worker.requests() < 1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  gateway.signal(SIGTERM);
  EXPECT_EQ(gateway.wait(), 3) << gateway.text();
}

TEST(Program, WritesAnAccessLogWithoutSecrets) {
  Worker worker;
  Process gateway({"serve", "--worker-urls", worker.url(), "--port", "0", "--threads", "1", "--access-log", "json"});
  std::uint16_t port = gateway.wait_until_it_listens();
  get(port, "/status/204?token=hidden", {{"Authorization", "Bearer hidden"}, {"X-Request-Id", "the-id"}});
  gateway.signal(SIGTERM);
  EXPECT_EQ(gateway.wait(), 0);
  EXPECT_TRUE(contains(gateway.text(), "\"the-id\"")) << gateway.text();
  EXPECT_TRUE(contains(gateway.text(), "/status/204")) << gateway.text();
  EXPECT_FALSE(contains(gateway.text(), "hidden")) << gateway.text();
}

TEST(Program, SaysWhatIsWrongWithTheCommandLine) {
  struct Case {
    std::vector<std::string> words;
    int code;
    std::string_view says;
  };
  Worker worker;
  std::string taken = std::to_string(worker.port());
  for (const Case& one : std::vector<Case>{
           {{}, 2, "subcommand"},
           {{"serve"}, 2, "--worker-urls"},
           {{"serve", "--worker-urls", "ftp://x"}, 2, "http://"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--port", "70000"}, 2, "port"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--max-body-size", "1"}, 2, "max-body-size"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--trusted-proxies", "10.0.0.0/40"}, 2, "trusted-proxies"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--port", taken}, 1, "cannot listen"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--unknown"}, 2, "unknown"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--data-dir", "a", "--ephemeral"}, 2, "ephemeral"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--data-dir", ""}, 2, "--ephemeral"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--wasm-module", "a=/a.wasm@OnRequest"},
            2,
            "--enable-wasm"},
           {{"serve", "--worker-urls", "http://127.0.0.1:1", "--admin-listen", "nowhere"}, 2, "--admin-listen"},
           {{"--version"}, 0, "sandgate 0."}}) {
    Process process(one.words);
    EXPECT_EQ(process.wait(), one.code) << process.text();
    EXPECT_TRUE(contains(process.text(), one.says)) << process.text();
  }
}

TEST(Program, RefusesLimitsOutOfTheirRange) {
  struct Limit {
    std::string flag;
    std::string below;
    std::string above;
    std::string_view range;
  };
  for (const Limit& limit : std::vector<Limit>{{"--wasm-max-memory-pages", "0", "65537", "1 to 65536"},
                                               {"--wasm-max-execution-time-ms", "0", "300001", "1 to 300000"},
                                               {"--wasm-max-cpu-time-ms", "0", "300001", "1 to 300000"},
                                               {"--wasm-max-stack-size", "65535", "16777217", "65536 to 16777216"},
                                               {"--wasm-thread-pool-size", "0", "129", "1 to 128"},
                                               {"--wasm-module-cache-size", "0", "1001", "1 to 1000"},
                                               {"--max-body-size", "1048575", "104857601", "1048576 to 104857600"}}) {
    for (const std::string& value : {limit.below, limit.above, std::string("-1"), std::string("many")}) {
      Process process({"serve", "--worker-urls", "http://127.0.0.1:1", limit.flag, value});
      EXPECT_EQ(process.wait(), 2) << process.text();
      EXPECT_TRUE(contains(process.text(), limit.flag + ": Value " + value + " not in range ")) << process.text();
      EXPECT_TRUE(contains(process.text(), limit.range)) << process.text();
    }
  }
}

TEST(Program, TheDemoShowsWhatItPromises) {
  Process demo({"demo", "--check"});
  EXPECT_EQ(demo.wait(), 0) << demo.text();
  EXPECT_TRUE(contains(demo.text(), "10 passed, 0 failed")) << demo.text();
}

}  // namespace
}  // namespace sandgate::test
