// SPDX-License-Identifier: Apache-2.0
#include "platform/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>

#include "base/check.h"

namespace sandgate::platform {
namespace {

struct FreeMac {
  void operator()(EVP_MAC* mac) const { ::EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* mac) const { ::EVP_MAC_CTX_free(mac); }
};

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

// The library only fails here when its default provider cannot be loaded or memory is gone: neither is a state to go on
// in.
Sha256 sha256(std::string_view content) {
  Sha256 digest{};
  unsigned length = 0;
  SANDGATE_CHECK(::EVP_Digest(content.data(), content.size(), digest.data(), &length, ::EVP_sha256(), nullptr) == 1);
  SANDGATE_CHECK(length == digest.size());
  return digest;
}

std::string sha256_hex(std::string_view content) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kSha256Bytes);
  for (unsigned char byte : sha256(content)) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

Sha256 hmac_sha256(std::string_view key, std::initializer_list<std::string_view> pieces) {
  std::unique_ptr<EVP_MAC, FreeMac> algorithm(::EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr));
  SANDGATE_CHECK(algorithm != nullptr);
  std::unique_ptr<EVP_MAC_CTX, FreeMac> mac(::EVP_MAC_CTX_new(algorithm.get()));
  SANDGATE_CHECK(mac != nullptr);
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
                                   ::OSSL_PARAM_construct_end()};
  SANDGATE_CHECK(::EVP_MAC_init(mac.get(), bytes_of(key), key.size(), parameters) == 1);
  for (std::string_view piece : pieces) SANDGATE_CHECK(::EVP_MAC_update(mac.get(), bytes_of(piece), piece.size()) == 1);
  Sha256 digest{};
  std::size_t length = 0;
  SANDGATE_CHECK(::EVP_MAC_final(mac.get(), digest.data(), &length, digest.size()) == 1 && length == digest.size());
  return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view as_text(const Sha256& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

}  // namespace sandgate::platform
