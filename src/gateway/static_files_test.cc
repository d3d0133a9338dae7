// SPDX-License-Identifier: Apache-2.0
#include "gateway/static_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "gateway/media_type.h"
#include "http/date.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::gateway {
namespace {

TEST(MediaType, IsByTheEndOfTheName) {
  EXPECT_EQ(media_type_of("a/index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type_of("A.JSON"), "application/json");
  EXPECT_EQ(media_type_of("a.tar.gz"), "application/gzip");
  EXPECT_EQ(media_type_of("app.wasm"), "application/wasm");
  for (std::string_view name : {"file", "a.html/file", "file.", ".html", "a.unknown", "a.html0123456789", ""})
    EXPECT_EQ(media_type_of(name), "application/octet-stream") << name;
}

TEST(FileName, IsDecodedOnce) {
  EXPECT_EQ(file_name_of("a%20b/c%25"), "a b/c%");
  EXPECT_EQ(file_name_of("a%252e"), "a%2e");
  EXPECT_EQ(file_name_of(""), "");
  EXPECT_EQ(file_name_of("a/"), "a/");
}

TEST(FileName, RefusesWhatIsNoName) {
  for (std::string_view rest :
       {"a%2fb", "a%2F..", "%00", "a%0", "a%", "%zz", "..", "a/../b", "%2e%2e/a", ".", "a//b", "/", "/a", "a/.", "a//"})
    EXPECT_FALSE(file_name_of(rest)) << rest;
  EXPECT_FALSE(file_name_of(std::string_view("a\0b", 3)));
}

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() {
    folder_.make_folder("public/docs");
    folder_.make_folder("public/empty");
    folder_.make_folder("public/.git");
    folder_.write("public/index.html", "<p>root</p>");
    folder_.write("public/docs/index.html", "<p>docs</p>");
    folder_.write("public/hello.txt", "0123456789");
    folder_.write("public/.git/config", "secret");
    folder_.write("public/.env", "secret");
    folder_.write("outside", "secret");
    options_.directory = folder_.path("public");
  }

  struct Answer {
    Status status;
    test::SentResponse sent;
  };
  Answer ask(std::string_view method, std::string_view rest,
             const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    Result<std::unique_ptr<StaticFiles>> files = StaticFiles::create(options_);
    EXPECT_TRUE(files);
    test::FakeExchange fake(method, "/files/" + std::string(rest));
    for (const auto& [name, value] : fields) fake.add_field(name, value);
    fake.exchange.route.rest = fake.exchange.request.path.substr(7);
    fake.exchange.received_unix_ms = 4'000'000'000'000;
    Status status = test::serve(**files, fake);
    return {std::move(status), fake.sent()};
  }
  test::SentResponse get(std::string_view rest, const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    Answer answer = ask("GET", rest, fields);
    EXPECT_TRUE(answer.status) << (answer.status ? "" : answer.status.error().detail);
    return answer.sent;
  }
  ErrorKind refusal(std::string_view rest) {
    Answer answer = ask("GET", rest);
    EXPECT_FALSE(answer.status) << rest;
    EXPECT_EQ(answer.sent.status, 0);
    return answer.status ? ErrorKind::kInternal : answer.status.error().kind;
  }

  test::TemporaryFolder folder_;
  StaticFilesOptions options_;
};

TEST_F(StaticFilesTest, SendsAFileWithItsTypeAndValidators) {
  options_.cache_control = "public, max-age=60";
  test::SentResponse sent = get("hello.txt");
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.body, "0123456789");
  EXPECT_EQ(sent.length, 10U);
  EXPECT_TRUE(sent.finished);
  EXPECT_EQ(sent.field("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(sent.field("x-content-type-options"), "nosniff");
  EXPECT_EQ(sent.field("accept-ranges"), "bytes");
  EXPECT_EQ(sent.field("cache-control"), "public, max-age=60");
  EXPECT_EQ(sent.field("etag").size(), 18U);
  EXPECT_TRUE(http::parse_date(sent.field("last-modified")));
  EXPECT_TRUE(sent.has_field("x-request-id"));
}

TEST_F(StaticFilesTest, HeadSaysTheSameWithoutABody) {
  Answer answer = ask("HEAD", "hello.txt", {{"Range", "bytes=0-1"}});
  ASSERT_TRUE(answer.status);
  EXPECT_EQ(answer.sent.status, 200);
  EXPECT_EQ(answer.sent.length, 10U);
  EXPECT_EQ(answer.sent.body, "");
  EXPECT_TRUE(answer.sent.finished);
}

TEST_F(StaticFilesTest, OtherMethodsAreRefused) {
  for (std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    Answer answer = ask(method, "hello.txt");
    EXPECT_EQ(answer.sent.status, 405) << method;
    EXPECT_EQ(answer.sent.field("allow"), "GET, HEAD");
  }
}

TEST_F(StaticFilesTest, AFolderIsItsIndexBehindASlash) {
  EXPECT_EQ(get("").body, "<p>root</p>");
  EXPECT_EQ(get("docs/").body, "<p>docs</p>");
  EXPECT_EQ(get("docs/").field("content-type"), "text/html; charset=utf-8");
  test::SentResponse redirect = get("docs");
  EXPECT_EQ(redirect.status, 308);
  EXPECT_EQ(redirect.field("location"), "/files/docs/");
  EXPECT_EQ(refusal("empty/"), ErrorKind::kNotFound);
  EXPECT_EQ(refusal("hello.txt/"), ErrorKind::kNotFound);
  options_.index = {"none.html", "hello.txt"};
  EXPECT_EQ(get("").body, "0123456789");
  options_.index = {};
  EXPECT_EQ(refusal(""), ErrorKind::kNotFound);
}

TEST_F(StaticFilesTest, ARedirectNeverLeadsToAnotherHost) {
  Result<std::unique_ptr<StaticFiles>> files = StaticFiles::create(options_);
  test::FakeExchange fake("GET", "//docs");
  fake.exchange.route.rest = "docs";
  Status status = test::serve(**files, fake);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kNotFound);
}

TEST_F(StaticFilesTest, ARedirectKeepsTheQuery) {
  Result<std::unique_ptr<StaticFiles>> files = StaticFiles::create(options_);
  test::FakeExchange fake("GET", "/files/docs");
  fake.exchange.route.rest = "docs";
  fake.exchange.request.has_query = true;
  fake.exchange.request.query = "a=1";
  ASSERT_TRUE(test::serve(**files, fake));
  EXPECT_EQ(fake.sent().field("location"), "/files/docs/?a=1");
}

TEST_F(StaticFilesTest, DotFilesAreServedOnlyWhenTheOptionsSaySo) {
  for (std::string_view rest : {".env", ".git/config", ".git/", ".git"})
    EXPECT_EQ(refusal(rest), ErrorKind::kNotFound) << rest;
  options_.dot_files = StaticFilesOptions::DotFiles::kServed;
  EXPECT_EQ(get(".git/config").body, "secret");
  EXPECT_EQ(refusal("../outside"), ErrorKind::kInvalid);
}

TEST_F(StaticFilesTest, NothingOutsideTheFolderIsServed) {
  folder_.link("public/up", "../outside");
  folder_.link("public/passwd", "/etc/passwd");
  folder_.link("public/inside", "hello.txt");
  EXPECT_EQ(refusal("up"), ErrorKind::kNotFound);
  EXPECT_EQ(refusal("passwd"), ErrorKind::kNotFound);
  EXPECT_EQ(get("inside").body, "0123456789");
  for (std::string_view rest : {"../outside", "%2e%2e/outside", "docs/..%2f..%2foutside", "a%00.txt"})
    EXPECT_EQ(refusal(rest), ErrorKind::kInvalid) << rest;
}

TEST_F(StaticFilesTest, OnlyRegularFilesAreServed) {
  ASSERT_EQ(::mkfifo(folder_.path("public/pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal("pipe"), ErrorKind::kNotFound);
}

TEST_F(StaticFilesTest, NamesAreDecodedOnce) {
  folder_.write("public/a b%2e.txt", "odd");
  EXPECT_EQ(get("a%20b%252e.txt").body, "odd");
}

TEST_F(StaticFilesTest, AClientThatHasItIsToldSo) {
  test::SentResponse first = get("hello.txt");
  test::SentResponse again = get("hello.txt", {{"If-None-Match", first.field("etag")}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.field("etag"), first.field("etag"));
  EXPECT_EQ(again.body, "");
  EXPECT_FALSE(again.length.has_value());
  EXPECT_FALSE(again.has_field("content-type"));
  EXPECT_EQ(get("hello.txt", {{"If-Modified-Since", first.field("last-modified")}}).status, 304);
  EXPECT_EQ(get("hello.txt", {{"If-Match", "\"other\""}}).status, 412);
  EXPECT_EQ(get("hello.txt", {{"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}).status, 412);
}

TEST_F(StaticFilesTest, AnotherContentHasAnotherTag) {
  std::string before = get("hello.txt").field("etag");
  EXPECT_EQ(get("hello.txt").field("etag"), before);
  folder_.write("public/hello.txt", "0123456789+");
  std::string longer = get("hello.txt").field("etag");
  EXPECT_NE(longer, before);
  std::filesystem::last_write_time(folder_.path("public/hello.txt"),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_NE(get("hello.txt").field("etag"), longer);
}

TEST_F(StaticFilesTest, AFileFromTheFutureWasModifiedNow) {
  std::filesystem::last_write_time(folder_.path("public/hello.txt"),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(24 * 36500));
  EXPECT_EQ(get("hello.txt").field("last-modified"), http::format_date(4'000'000'000));
}

TEST_F(StaticFilesTest, ARangeIsAPart) {
  test::SentResponse part = get("hello.txt", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.field("content-range"), "bytes 2-4/10");
  EXPECT_EQ(part.length, 3U);
  test::SentResponse none = get("hello.txt", {{"Range", "bytes=10-"}});
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(none.field("content-range"), "bytes */10");
  EXPECT_EQ(get("hello.txt", {{"Range", "bytes=0-1,3-4"}}).status, 200);
  EXPECT_EQ(get("hello.txt", {{"Range", "bytes=2-4"}, {"If-Range", "\"other\""}}).body, "0123456789");
  EXPECT_EQ(get("hello.txt", {{"Range", "bytes=2-4"}, {"If-Range", part.field("etag")}}).status, 206);
}

TEST_F(StaticFilesTest, AnEmptyFileIsAFile) {
  folder_.write("public/nothing", "");
  test::SentResponse sent = get("nothing");
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.length, 0U);
  EXPECT_TRUE(sent.finished);
}

TEST_F(StaticFilesTest, ALargeFileIsSentInPiecesOverSeveralTurns) {
  std::string large(StaticFiles::kPieceBytes * StaticFiles::kPiecesPerTurn * 2 + 5, 'x');
  large.back() = 'y';
  folder_.write("public/large", large);
  Result<std::unique_ptr<StaticFiles>> files = StaticFiles::create(options_);
  test::FakeExchange fake("GET", "/large");
  fake.exchange.route.rest = "large";
  std::optional<Status> result;
  test::fake_exchange_internal::run_to_end<Status>((*files)->serve(fake.exchange), result);
  EXPECT_FALSE(result.has_value()) << "others have their turn";
  EXPECT_EQ(fake.sent().body.size(), StaticFiles::kPieceBytes * StaticFiles::kPiecesPerTurn);
  fake.loop.run_until_idle();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(*result);
  EXPECT_EQ(fake.sent().body, large);
}

TEST_F(StaticFilesTest, AFileThatShrinksEndsAsBroken) {
  std::string large(StaticFiles::kPieceBytes * (StaticFiles::kPiecesPerTurn + 2), 'x');
  folder_.write("public/large", large);
  Result<std::unique_ptr<StaticFiles>> files = StaticFiles::create(options_);
  test::FakeExchange fake("GET", "/large");
  fake.exchange.route.rest = "large";
  std::optional<Status> result;
  test::fake_exchange_internal::run_to_end<Status>((*files)->serve(fake.exchange), result);
  folder_.write("public/large", "short");
  fake.loop.run_until_idle();
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(*result);
  EXPECT_TRUE(fake.sent().aborted);
  EXPECT_FALSE(fake.sent().finished);
}

TEST_F(StaticFilesTest, AClientThatLeftIsSentNoMore) {
  std::string large(StaticFiles::kPieceBytes * (StaticFiles::kPiecesPerTurn + 2), 'x');
  folder_.write("public/large", large);
  Result<std::unique_ptr<StaticFiles>> files = StaticFiles::create(options_);
  test::FakeExchange fake("GET", "/large");
  fake.exchange.route.rest = "large";
  std::optional<Status> result;
  test::fake_exchange_internal::run_to_end<Status>((*files)->serve(fake.exchange), result);
  fake.exchange.cancellation.cancel(ErrorKind::kDisconnected, "the client left");
  fake.loop.run_until_idle();
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(*result);
  EXPECT_TRUE(fake.sent().aborted);
}

TEST_F(StaticFilesTest, TheFolderMustBeThere) {
  options_.directory = folder_.path("none");
  EXPECT_EQ(StaticFiles::create(options_).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace sandgate::gateway
