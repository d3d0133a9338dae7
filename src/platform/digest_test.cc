// SPDX-License-Identifier: Apache-2.0
#include "platform/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace sandgate::platform {
namespace {

std::string hex(const Sha256& digest) {
  std::string text;
  for (unsigned char byte : digest) {
    constexpr std::string_view kHexDigits = "0123456789abcdef";
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

TEST(Digest, HashesAsTheStandardSays) {
  // FIPS 180-4, examples of NIST.
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(hex(sha256("abc")), sha256_hex("abc"));
}

TEST(Digest, AuthenticatesAsTheStandardSays) {
  // RFC 4231 sections 4.2, 4.3 and 4.7 (a key longer than a block).
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), {"Hi There"})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", {"what do ya want for nothing?"})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), {"Test Using Larger Than Block-Size Key - Hash Key First"})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, TakesPiecesAsOneText) {
  EXPECT_EQ(hmac_sha256("key", {"one", "", "two"}), hmac_sha256("key", {"onetwo"}));
  EXPECT_NE(hmac_sha256("key", {"onetwo"}), hmac_sha256("yek", {"onetwo"}));
}

TEST(Digest, ComparesContentAndLength) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace sandgate::platform
