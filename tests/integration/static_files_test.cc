// SPDX-License-Identifier: Apache-2.0
//
// A server that serves a folder, asked over sockets by friends and by others.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/integration/configured_server.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::test {
namespace {

// Before a server opens it.
struct Folder : TemporaryFolder {
  Folder() {
    make_folder("public/docs");
    write("public/index.html", "<p>root</p>");
    write("public/docs/index.html", "<p>docs</p>");
    write("public/hello.txt", "0123456789");
    write("outside", "secret");
    link("public/passwd", "/etc/passwd");
    link("public/up", "../outside");
  }
};

class StaticFiles : public ::testing::Test {
 protected:
  // Sent as it is: no client of ours mends the path.
  Received ask(std::string_view target) {
    RawClient client(server_.port());
    client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return client.receive_response();
  }

  Folder folder_;
  ConfiguredServer server_{R"(
[server]
threads = 1
[[route]]
path = "/files/*rest"
files = { directory = "public", cache_control = "no-cache" }
[[route]]
path = "/hello.txt"
files = { directory = "public" }
)",
                           folder_.path()};
};

TEST_F(StaticFiles, ServesWhatIsThere) {
  Received hello = get(server_.port(), "/files/hello.txt");
  EXPECT_EQ(hello.status, 200);
  EXPECT_EQ(hello.body, "0123456789");
  EXPECT_EQ(hello.field("content-length"), "10");
  EXPECT_EQ(hello.field("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(hello.field("cache-control"), "no-cache");
  EXPECT_EQ(get(server_.port(), "/files/").body, "<p>root</p>");
  EXPECT_EQ(get(server_.port(), "/files/docs?x=1").field("location"), "/files/docs/?x=1");
  EXPECT_EQ(get(server_.port(), "/files/docs/").body, "<p>docs</p>");
  EXPECT_EQ(get(server_.port(), "/hello.txt").body, "0123456789") << "a route without a rest: the whole path";
  EXPECT_EQ(get(server_.port(), "/files/none").status, 404);
  Received posted = fetch(server_.port(), "POST", "/files/hello.txt", {}, "body");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.field("allow"), "GET, HEAD");
}

TEST_F(StaticFiles, NothingOutsideTheFolderIsServed) {
  for (std::string_view target :
       {"/files/../outside", "/files/..%2foutside", "/files/%2e%2e/outside", "/files/%2e%2e%2foutside",
        "/files/docs/..%2f..%2foutside", "/files/..%252foutside", "/files/..%5coutside", "/files/.%00./outside",
        "/files//outside", "/files/%2fetc%2fpasswd", "/files/passwd", "/files/up", "/files/docs/../../outside",
        "/files/hello.txt/../../../outside", "/files/....//outside", "/files/..;/outside"}) {
    Received answer = ask(target);
    EXPECT_TRUE(answer.status == 400 || answer.status == 404) << target << ": " << answer.status;
    EXPECT_EQ(answer.body.find("secret"), std::string::npos) << target;
    EXPECT_EQ(answer.body.find("root:"), std::string::npos) << target;
  }
  EXPECT_EQ(ask("/files/..%2foutside").status, 400);
  EXPECT_EQ(ask("/files/passwd").status, 404);
  EXPECT_EQ(ask("/files/up").status, 404);
}

TEST_F(StaticFiles, KeepsTheConnectionThroughAllKindsOfAnswers) {
  RawClient client(server_.port());
  auto next = [&client](std::string_view method, std::string_view fields) {
    client.send(std::string(method) + " /files/hello.txt HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
    return client.receive_response(method == "HEAD");
  };
  Received first = next("GET", "");
  std::string etag = first.field("etag").value_or("");
  Received head = next("HEAD", "");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("content-length"), "10");
  EXPECT_EQ(head.field("etag"), etag);
  Received same = next("GET", "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_FALSE(same.field("content-length"));
  EXPECT_EQ(next("GET", "If-Modified-Since: " + first.field("last-modified").value_or("") + "\r\n").status, 304);
  EXPECT_EQ(next("GET", "If-Match: \"x\"\r\n").status, 412);
  Received part = next("GET", "Range: bytes=-3\r\nIf-Range: " + etag + "\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "789");
  EXPECT_EQ(part.field("content-range"), "bytes 7-9/10");
  EXPECT_EQ(part.field("content-length"), "3");
  Received none = next("GET", "Range: bytes=10-\r\n");
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(none.field("content-range"), "bytes */10");
  EXPECT_EQ(next("GET", "Range: bytes=0-1,4-5\r\n").body, "0123456789");
}

TEST_F(StaticFiles, SendsALargeFileWhole) {
  std::string large;
  large.reserve(std::size_t{5} << 20);
  for (unsigned i = 0; large.size() < (std::size_t{5} << 20); ++i) large += static_cast<char>(i * 2654435761U >> 24);
  folder_.write("public/large.bin", large);
  Received whole = get(server_.port(), "/files/large.bin");
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.complete);
  EXPECT_TRUE(whole.body == large);
  Received part = get(server_.port(), "/files/large.bin", {{"Range", "bytes=1000000-4000000"}});
  EXPECT_TRUE(part.body == large.substr(1'000'000, 3'000'001));
}

TEST_F(StaticFiles, OthersAreServedWhileALargeFileWaitsForItsClient) {
  folder_.write("public/large.bin", std::string(std::size_t{32} << 20, 'x'));
  RawClient slow(server_.port());
  slow.send("GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(slow.receive_until("\r\n\r\n").find("200 OK"), std::string::npos);
  EXPECT_EQ(get(server_.port(), "/files/hello.txt").body, "0123456789");
}

TEST_F(StaticFiles, AFileThatShrinksWhileItIsServedEndsTheConnection) {
  // More than the sockets of both ends take.
  const std::string path = folder_.write("public/large.bin", std::string(std::size_t{32} << 20, 'x'));
  RawClient client(server_.port());
  client.send("GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  client.receive_until("\r\n\r\n");
  std::filesystem::resize_file(path, 1000);
  EXPECT_LT(client.receive_all().size(), std::size_t{32} << 20);
  EXPECT_EQ(get(server_.port(), "/files/hello.txt").status, 200);
}

TEST(StaticFilesConfiguration, AFolderThatIsNotThereIsAMistakeOfTheFile) {
  TemporaryFolder folder;
  config::Loaded loaded =
      config::parse_manifest("[[route]]\npath = \"/*rest\"\nfiles = { directory = \"none\" }\n", folder.path());
  ASSERT_NE(loaded.manifest, nullptr);
  config::Settings settings = loaded.settings;
  settings.listen = {"127.0.0.1:0"};
  settings.data_directory.clear();
  Result<std::unique_ptr<server::Server>> server = server::Server::start(settings, loaded.manifest);
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().detail.find("1: files: cannot open the folder " + folder.path("none")), std::string::npos)
      << server.error().detail;
}

}  // namespace
}  // namespace sandgate::test
