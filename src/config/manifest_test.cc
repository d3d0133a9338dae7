// SPDX-License-Identifier: Apache-2.0
#include "config/manifest.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace sandgate::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() {
    for (const char* name : {"auth.wasm", "limit.wasm"}) std::ofstream(folder_.path() + "/" + name) << "module";
  }
  Loaded parse(const std::string& text) { return parse_manifest(text, folder_.path()); }
  std::vector<std::string> mistakes(const std::string& text) { return parse(text).diagnostics.lines("f"); }
  const Manifest& good(const std::string& text) {
    loaded_ = parse(text);
    EXPECT_THAT(loaded_.diagnostics.lines("f"), IsEmpty());
    static const Manifest kNone;
    return loaded_.manifest ? *loaded_.manifest : kNone;
  }
  void write(const std::string& name, std::string_view content) { folder_.write(name, content); }

  test::TemporaryFolder folder_;
  Loaded loaded_;
};

// A route that needs nothing else.
const std::string kRoute = "[[route]]\npath = \"/\"\nrespond = { body = \"OK\" }\n";

TEST_F(ManifestTest, ReadsTheServer) {
  good(kRoute + R"(
[server]
listen = ["0.0.0.0:80", "unix:/run/s.sock"]
threads = 3
data_dir = "state"
max_connections = 100
drain = "5s"
access_log = "json"
log_level = "warning"
trusted_proxies = "10.0.0.0/8"
timeouts = { head = "2s" }
[limits]
memory = "16MiB"
time = "50ms"
)");
  const Settings& settings = loaded_.settings;
  EXPECT_THAT(settings.listen, ElementsAre("0.0.0.0:80", "unix:/run/s.sock"));
  EXPECT_EQ(settings.threads, 3U);
  EXPECT_EQ(settings.data_directory, folder_.path() + "/state");
  EXPECT_EQ(settings.connections_max, 100U);
  EXPECT_EQ(settings.drain, std::chrono::seconds(5));
  EXPECT_EQ(settings.access_log, telemetry::AccessLogFormat::kJson);
  EXPECT_EQ(settings.log_level, log::Level::kWarning);
  EXPECT_THAT(settings.trusted_proxies, ElementsAre("10.0.0.0/8"));
  EXPECT_EQ(settings.client_timeouts.head, std::chrono::seconds(2));
  EXPECT_EQ(settings.wasm_memory_pages_max, 256U);
  EXPECT_EQ(settings.wasm_execution_time_max, Milliseconds(50));
  EXPECT_FALSE(settings.enable_wasm);
}

TEST_F(ManifestTest, KeepsModulesBesideTheFileUnlessTold) {
  good(kRoute);
  EXPECT_EQ(loaded_.settings.data_directory, folder_.path() + "/.sandgate");
  good(kRoute + "[server]\nephemeral = true\n");
  EXPECT_EQ(loaded_.settings.data_directory, "");
}

TEST_F(ManifestTest, ReadsModules) {
  const Manifest& manifest = good(kRoute + R"(
[[module]]
name = "auth"
file = "auth.wasm"
attach = ["OnRequest"]
on_failure = "open"
body = false
instance = "reuse"
reuse = { max_calls = 10, max_age = "5s" }
limits = { memory = "1MiB", time = "5ms", cpu = "2ms" }
config = { limit = 60, name = "x", strict = true }
allow = { key_value = ["counters"] }
)");
  ASSERT_EQ(manifest.modules.size(), 1U);
  const ModuleEntry& module = manifest.modules[0];
  EXPECT_EQ(module.path, folder_.path() + "/auth.wasm");
  EXPECT_THAT(module.attach, ElementsAre(modules::AttachPoint::kOnRequest));
  EXPECT_EQ(module.options.on_failure, modules::OnFailure::kOpen);
  EXPECT_FALSE(module.options.body);
  EXPECT_EQ(module.options.instance, modules::InstanceMode::kReuse);
  EXPECT_EQ(module.options.reuse_calls_max, 10U);
  EXPECT_EQ(module.options.reuse_seconds_max, 5U);
  EXPECT_EQ(module.options.limits.memory_bytes, 1U << 20);
  EXPECT_EQ(module.options.limits.time_ms, 5U);
  EXPECT_EQ(module.options.limits.cpu_ms, 2U);
  EXPECT_THAT(*module.options.config,
              ElementsAre(testing::Pair("limit", "60"), testing::Pair("name", "x"), testing::Pair("strict", "true")));
  EXPECT_THAT(module.options.key_value, ElementsAre("counters"));
  EXPECT_TRUE(loaded_.settings.enable_wasm);
}

TEST_F(ManifestTest, SecretsComeFromTheEnvironmentOrFiles) {
  ::setenv("SANDGATE_TEST_SECRET", "from env", 1);
  write("secret", "from file\n");
  const Manifest& manifest = good(kRoute + fmt::format(R"(
[server]
admin = {{ token_file = "secret" }}
[[module]]
name = "auth"
file = "auth.wasm"
config = {{ a = {{ env = "SANDGATE_TEST_SECRET" }}, b = {{ file = "{}/secret" }} }}
)",
                                                       folder_.path()));
  EXPECT_THAT(*manifest.modules.at(0).options.config,
              ElementsAre(testing::Pair("a", "from env"), testing::Pair("b", "from file")));
  EXPECT_EQ(loaded_.settings.admin_token, "from file");
  EXPECT_THAT(
      mistakes(kRoute + "[server]\nadmin = { token = { env = \"SANDGATE_TEST_NONE\" } }\n"),
      ElementsAre(HasSubstr("f:5: server.admin.token: the environment variable SANDGATE_TEST_NONE is not set")));
}

TEST_F(ManifestTest, ReadsRoutes) {
  const Manifest& manifest = good(R"(
[[module]]
name = "auth"
file = "auth.wasm"
config = { a = 1, b = 2 }

[[route]]
name = "hello"
host = "api.example.com"
path = "/hello/:who"
methods = ["GET", "POST"]
fields = { X-Version = "2", x-debug = false }
middleware = ["auth", { module = "auth", config = { b = 3 }, on_failure = "open" }]
deployed_modules = false
respond = { status = 418, body = "teapot", content_type = "text/plain", fields = { x-a = "b" } }
)");
  ASSERT_EQ(manifest.routes.size(), 1U);
  const RouteEntry& route = manifest.routes[0];
  EXPECT_EQ(route.name, "hello");
  EXPECT_EQ(route.line, 7U);
  EXPECT_EQ(route.rule.host.name(), "api.example.com");
  EXPECT_EQ(route.rule.path.text(), "/hello/:who");
  EXPECT_THAT(route.rule.methods, ElementsAre("GET", "POST"));
  EXPECT_EQ(route.rule.fields.size(), 2U);
  EXPECT_THAT(route.rule.fields,
              Contains(routing::FieldCondition{"x-version", routing::FieldCondition::Test::kEquals, "2"}));
  ASSERT_EQ(route.middleware.size(), 2U);
  EXPECT_EQ(route.middleware[0].options, manifest.modules[0].options);
  EXPECT_THAT(*route.middleware[1].options.config, ElementsAre(testing::Pair("a", "1"), testing::Pair("b", "3")));
  EXPECT_EQ(route.middleware[1].options.on_failure, modules::OnFailure::kOpen);
  EXPECT_FALSE(route.deployed_modules);
  const auto& response = std::get<gateway::FixedResponseOptions>(route.target);
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.body, "teapot");
  EXPECT_THAT(response.fields, ElementsAre(testing::Pair("x-a", "b")));
}

TEST_F(ManifestTest, ReadsRoutesOfFiles) {
  const Manifest& manifest = good(R"(
[[route]]
path = "/static/*rest"
files = { directory = "public", index = ["a.html", "b.html"], cache_control = "no-cache", dot_files = true }
[[route]]
path = "/other/*rest"
files = { directory = "/srv/../srv/www" }
)");
  const auto& files = std::get<gateway::StaticFilesOptions>(manifest.routes.at(0).target);
  EXPECT_EQ(files.directory, folder_.path("public"));
  EXPECT_THAT(files.index, ElementsAre("a.html", "b.html"));
  EXPECT_EQ(files.cache_control, "no-cache");
  EXPECT_EQ(files.dot_files, gateway::StaticFilesOptions::DotFiles::kServed);
  const auto& other = std::get<gateway::StaticFilesOptions>(manifest.routes.at(1).target);
  EXPECT_EQ(other.directory, "/srv/www");
  EXPECT_THAT(other.index, ElementsAre("index.html"));
  EXPECT_EQ(other.dot_files, gateway::StaticFilesOptions::DotFiles::kRefused);
  EXPECT_THAT(mistakes("[[route]]\npath = \"/\"\nrespond = {}\nfiles = { directory = \"a\" }\n"),
              ElementsAre(HasSubstr("a route has one of")));
  EXPECT_THAT(mistakes("[[route]]\npath = \"/\"\nfiles = { index = \"a/b\" }\n"),
              testing::UnorderedElementsAre(HasSubstr("directory"), HasSubstr("is no name of a file")));
}

TEST_F(ManifestTest, ReadsUpstreams) {
  const Manifest& manifest = good(R"(
[[upstream]]
name = "workers"
servers = ["http://10.0.0.1:8080", { url = "https://API.example.com", weight = 3 }, "https://[::1]:8443"]
balance = "hash"
hash = "field:x-user"
health = { path = "/ready", interval = "1s", fails = 2 }
ejection = { failures = 0 }
timeouts = { connect = "1s", total = "10s" }
retries = { attempts = 1 }
connections = { max = 10, waiting_max = 0 }
slow_start = "30s"
tls = { verify = false, server_name = "inner" }
)");
  ASSERT_EQ(manifest.upstreams.size(), 1U);
  const gateway::UpstreamOptions& upstream = manifest.upstreams[0].options;
  EXPECT_EQ(upstream.name, "workers");
  ASSERT_EQ(upstream.servers.size(), 3U);
  EXPECT_EQ(upstream.servers[0].authority(), "10.0.0.1:8080");
  EXPECT_EQ(upstream.servers[0].scheme, gateway::Scheme::kHttp);
  EXPECT_EQ(upstream.servers[1].authority(), "api.example.com:443");
  EXPECT_EQ(upstream.servers[1].scheme, gateway::Scheme::kHttps);
  EXPECT_EQ(upstream.servers[1].weight, 3U);
  EXPECT_EQ(upstream.servers[2].authority(), "[::1]:8443");
  EXPECT_EQ(upstream.balance, gateway::Balance::kConsistentHash);
  EXPECT_EQ(upstream.hash_key, (gateway::HashKey{gateway::HashKey::From::kField, "x-user"}));
  ASSERT_TRUE(upstream.health_check);
  EXPECT_EQ(upstream.health_check->path, "/ready");
  EXPECT_EQ(upstream.health_check->fails, 2U);
  EXPECT_EQ(upstream.health_check->passes, 2U);
  EXPECT_EQ(upstream.ejection.failures, 0U);
  EXPECT_EQ(upstream.timeouts.connect, std::chrono::seconds(1));
  EXPECT_EQ(upstream.timeouts.total, std::chrono::seconds(10));
  EXPECT_EQ(upstream.retries.attempts, 1U);
  EXPECT_EQ(upstream.connections.connections_max, 10U);
  EXPECT_EQ(upstream.slow_start, std::chrono::seconds(30));
  EXPECT_EQ(upstream.tls.verify, gateway::UpstreamTlsOptions::Verify::kOff);
}

TEST_F(ManifestTest, OneUpstreamAndNoRouteTakesEverything) {
  const Manifest& manifest = good("[[upstream]]\nname = \"workers\"\nservers = \"http://127.0.0.1:1\"\n");
  ASSERT_EQ(manifest.routes.size(), 1U);
  EXPECT_EQ(manifest.routes[0].rule.path.text(), "/*rest");
  EXPECT_EQ(std::get<ToUpstream>(manifest.routes[0].target).upstream, "workers");
}

TEST_F(ManifestTest, ARouteNamesItsUpstreamUnlessThereIsOne) {
  const std::string upstreams =
      "[[upstream]]\nname = \"a\"\nservers = \"http://127.0.0.1:1\"\n[[upstream]]\nname = \"b\"\nservers = "
      "\"http://127.0.0.1:2\"\n";
  EXPECT_THAT(mistakes(upstreams + "[[route]]\npath = \"/\"\n"),
              ElementsAre(HasSubstr("f:7: route: where should it go?")));
  const Manifest& manifest =
      good(upstreams + "[[route]]\npath = \"/x/*rest\"\nupstream = \"b\"\nupstream_path = \"rest\"\n");
  EXPECT_EQ(std::get<ToUpstream>(manifest.routes[0].target), (ToUpstream{"b", gateway::UpstreamPath::kRest}));
}

TEST_F(ManifestTest, TellsWhatIsWrongWithAnUpstream) {
  EXPECT_THAT(mistakes(R"([[upstream]]
name = "a"
servers = ["ftp://x", "http://h:1/path", 7, { weight = 2 }]
balance = "hash"
hash = "header:x"
health = { path = "health" }
[[upstream]]
name = "a"
servers = []
)"),
              testing::IsSupersetOf(
                  {HasSubstr(R"(f:3: upstream.servers: "ftp://x" is no server; write "http://HOST:PORT")"),
                   HasSubstr(R"("http://h:1/path" is no server)"), HasSubstr("a number is no server"),
                   HasSubstr(R"("url" is missing)"), HasSubstr(R"(f:5: upstream.hash is "header:x"; write "client")"),
                   HasSubstr(R"(f:7: [[upstream]] "a" is there already, in line 1)"),
                   HasSubstr("f:9: upstream.servers is a list; write a list of at least one")}));
}

TEST_F(ManifestTest, RoutesTakeWhatTheirGroupHas) {
  const Manifest& manifest = good(R"(
[[module]]
name = "auth"
file = "auth.wasm"
[[module]]
name = "limit"
file = "limit.wasm"
[[group]]
name = "v1"
path = "/v1"
host = "api.example.com"
fields = { x-key = true }
middleware = ["auth"]
[[route]]
group = "v1"
path = "/users/:id"
middleware = ["limit"]
respond = { status = 204 }
)");
  const RouteEntry& route = manifest.routes.at(0);
  EXPECT_EQ(route.name, "api.example.com/v1/users/:id");
  EXPECT_EQ(route.rule.path.text(), "/v1/users/:id");
  EXPECT_EQ(route.rule.host.name(), "api.example.com");
  EXPECT_EQ(route.rule.fields.size(), 1U);
  ASSERT_EQ(route.middleware.size(), 2U);
  EXPECT_EQ(route.middleware[0].module, "auth");
  EXPECT_EQ(route.middleware[1].module, "limit");
}

TEST_F(ManifestTest, TellsEveryMistakeAtOnceWithItsLine) {
  EXPECT_THAT(mistakes(R"([server]
listen = ["3000"]
thread = 4
drain = "5 seconds"
access_log = "xml"
max_connections = 0

[[module]]
name = "auth"
file = "missing.wasm"
attach = ["OnRequst"]

[[route]]
path = "v1"
middleware = ["auht"]
respond = { status = 99 }

[[route]]
path = "/a"
methods = ["get"]
upstream = "workers"

[routes]
)"),
              ElementsAre(HasSubstr(R"(f:2: server.listen: "3000" has no port)"),
                          R"(f:3: unknown key "thread" in server; did you mean "threads"?)",
                          HasSubstr(R"(f:4: server.drain is "5 seconds"; write a duration such as "500ms")"),
                          R"(f:5: server.access_log is "xml"; write "off", "text" or "json")",
                          HasSubstr("f:6: server.max_connections is 0; write a number from 1 to"),
                          "f:10: module.file: there is no file missing.wasm",
                          HasSubstr(R"(f:11: module.attach: "OnRequst" is no attach point)"),
                          HasSubstr(R"(f:14: route.path: "v1": a path begins with "/")"),
                          R"(f:15: middleware: there is no [[module]] "auht"; did you mean "auth"?)",
                          HasSubstr("f:16: route.respond.status is 99; write a number from 200 to 599"),
                          HasSubstr(R"(f:20: route.methods: "get" is no method that is served; did you mean "GET"?)"),
                          HasSubstr(R"(f:21: route.upstream: there is no [[upstream]] "workers")"),
                          HasSubstr(R"(f:23: unknown key "routes"; did you mean "route"?)")));
}

TEST_F(ManifestTest, TellsOfASyntaxErrorOnly) {
  EXPECT_THAT(mistakes("[server]\nthreads = \n"), ElementsAre(HasSubstr("f:2: no valid TOML")));
}

TEST_F(ManifestTest, TellsOfConflicts) {
  EXPECT_THAT(mistakes(kRoute + kRoute),
              ElementsAre(HasSubstr("f:4: this route and the one in line 1 take the same requests (/)")));
}

TEST_F(ManifestTest, TellsOfRepeatedNames) {
  EXPECT_THAT(mistakes(kRoute + "name = \"a\"\n[[route]]\nname = \"a\"\npath = \"/b\"\nrespond = {}\n"),
              ElementsAre(R"(f:5: a route named "a" is there already, in line 1)"));
}

TEST_F(ManifestTest, WantsSomethingToServe) {
  EXPECT_THAT(mistakes(""), ElementsAre(HasSubstr("f: there is no [[route]]")));
  EXPECT_THAT(mistakes("[[route]]\npath = \"/\"\n"), ElementsAre(HasSubstr("f:1: route: where should it go?")));
}

TEST_F(ManifestTest, HoldsModulesToTheirBounds) {
  EXPECT_THAT(
      mistakes(kRoute + "[[module]]\nname = \"auth\"\nfile = \"auth.wasm\"\nallow = { key_value = [\"a b\"] }\n"),
      ElementsAre(HasSubstr("f:4: module: allow.key_value: the name of a store")));
}

TEST_F(ManifestTest, NothingInAFileMakesItFail) {
  for (const char* text :
       {"a = 1979-05-27", "route = 1", "[[server]]", "[route]", "route = [1]", "module = []", "[[route]]\npath = 7",
        "[[route]]\npath = \"/\"\nmiddleware = \"auth\"", "[[route]]\npath = \"/\"\nfields = 3",
        "[limits]\nmemory = \"1KiB\"", "\x01", "[server]\nlisten = []"})
    EXPECT_FALSE(mistakes(text).empty()) << text;
}

TEST(Loading, NamesTheFileThatIsMissing) {
  Result<Loaded> loaded = load_manifest("/does/not/exist.toml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().detail, HasSubstr("/does/not/exist.toml"));
}

}  // namespace
}  // namespace sandgate::config
