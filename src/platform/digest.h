// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104): identities of modules and proofs that a cached file is ours.
// Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sandgate::platform {

inline constexpr std::size_t kSha256Bytes = 32;
using Sha256 = std::array<unsigned char, kSha256Bytes>;

Sha256 sha256(std::string_view content);
// 64 lower-case hex digits.
std::string sha256_hex(std::string_view content);

// Over the pieces, one after the other. A caller whose pieces vary in length puts the lengths in, too.
Sha256 hmac_sha256(std::string_view key, std::initializer_list<std::string_view> pieces);

// Takes as long for equal as for different bytes of one length.
bool equal_in_constant_time(std::string_view a, std::string_view b);

std::string_view as_text(const Sha256& digest);

}  // namespace sandgate::platform
