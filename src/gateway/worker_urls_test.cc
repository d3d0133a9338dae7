// SPDX-License-Identifier: Apache-2.0
#include "gateway/worker_urls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sandgate::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> authorities(const std::vector<std::string>& values) {
  Result<std::vector<ServerOptions>> urls = parse_worker_urls(values);
  if (!urls) return {"error: " + urls.error().detail};
  std::vector<std::string> texts;
  for (const ServerOptions& url : *urls) texts.push_back(url.authority());
  return texts;
}

Error refusal(const std::vector<std::string>& values) {
  Result<std::vector<ServerOptions>> urls = parse_worker_urls(values);
  EXPECT_FALSE(urls.has_value());
  return urls ? Error(ErrorKind::kInternal, "accepted") : urls.error();
}

TEST(WorkerUrls, TakeSeveralValuesAndCommas) {
  EXPECT_THAT(authorities({"http://127.0.0.1:30000"}), ElementsAre("127.0.0.1:30000"));
  EXPECT_THAT(authorities({"http://a:1,http://b:2", "http://c:3/"}), ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_THAT(authorities({" http://a:1 , http://b:2 ,"}), ElementsAre("a:1", "b:2"));
}

TEST(WorkerUrls, DefaultToPort80AndLowerCase) {
  EXPECT_THAT(authorities({"http://Worker"}), ElementsAre("worker:80"));
  EXPECT_THAT(authorities({"HTTP://worker/"}), ElementsAre("worker:80"));
  EXPECT_THAT(authorities({"http://[2001:DB8::1]:8080"}), ElementsAre("[2001:db8::1]:8080"));
}

TEST(WorkerUrls, AnyAddressMeansThisMachine) {
  EXPECT_THAT(authorities({"http://0.0.0.0:9000", "http://[::]:9001"}), ElementsAre("127.0.0.1:9000", "[::1]:9001"));
}

TEST(WorkerUrls, RefuseHttpsClearly) {
  Error error = refusal({"https://worker:443"});
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.detail, HasSubstr("https to workers is not supported yet"));
  EXPECT_THAT(error.detail, HasSubstr("https://worker:443"));
}

TEST(WorkerUrls, SayWhatToWriteInsteadOfAPath) {
  EXPECT_THAT(refusal({"http://worker:8000/v1"}).detail, HasSubstr("write http://worker:8000"));
  EXPECT_THAT(refusal({"http://worker/?a=b"}).detail, HasSubstr("write http://worker:80"));
  EXPECT_THAT(refusal({"http://worker#top"}).detail, HasSubstr("write http://worker:80"));
}

TEST(WorkerUrls, RefuseWhatIsNoServerWithTheRightForm) {
  for (std::string_view value : {"127.0.0.1:30000", "worker", "ftp://worker", "http://", "http:///path",
                                 "http://user:password@worker", "http://worker:0", "http://worker:70000",
                                 "http://worker:80x", "http://::1:80", "http://[::1", "http://wor ker", "://worker"}) {
    Error error = refusal({std::string(value)});
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << value;
    EXPECT_THAT(error.detail, HasSubstr("http://HOST:PORT")) << value;
    EXPECT_THAT(error.detail, HasSubstr(std::string(value))) << value;
  }
}

TEST(WorkerUrls, RefuseAServerGivenTwice) {
  EXPECT_THAT(refusal({"http://a:80,http://b", "http://A/"}).detail, HasSubstr("http://a:80 is given twice"));
  EXPECT_THAT(refusal({"http://0.0.0.0:1", "http://127.0.0.1:1"}).detail, HasSubstr("given twice"));
}

TEST(WorkerUrls, RefuseNoneAndTooMany) {
  EXPECT_THAT(refusal({}).detail, HasSubstr("names no worker"));
  EXPECT_THAT(refusal({" , "}).detail, HasSubstr("names no worker"));
  std::vector<std::string> many;
  for (int i = 1; i <= 65; ++i) many.push_back("http://worker:" + std::to_string(i));
  EXPECT_THAT(refusal(many).detail, HasSubstr("at most 64"));
}

TEST(WorkerUrls, ShowControlBytesEscaped) { EXPECT_THAT(refusal({"http://a\nb"}).detail, HasSubstr("a\\x0ab")); }

}  // namespace
}  // namespace sandgate::gateway
