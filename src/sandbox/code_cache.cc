// SPDX-License-Identifier: Apache-2.0
#include "sandbox/code_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "platform/clock.h"
#include "platform/digest.h"
#include "platform/entropy.h"
#include "platform/log.h"
#include "sandbox/private_file.h"

namespace sandgate::sandbox {
namespace {

using platform::kSha256Bytes;

constexpr std::string_view kMagic = "SGCODE1\n";
constexpr std::size_t kHeaderBytes = kMagic.size() + kSha256Bytes;
constexpr std::string_view kCodeSuffix = ".code";
constexpr char kKeyName[] = "key";
constexpr std::size_t kKeyBytes = 32;
// A temporary file this old belongs to a process that died while writing it.
constexpr std::int64_t kTemporarySecondsMax = 3600;

std::string length_text(std::string_view text) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(text.size() >> (8 * i));
  return bytes;
}

std::string new_key() {
  std::string key(kKeyBytes, '\0');
  platform::fill_random(std::as_writable_bytes(std::span(key)));
  return key;
}

// Two servers that start at once agree on the key that was there first.
Result<std::string> read_or_make_key(const platform::Descriptor& directory) {
  Result<std::string> key = read_private_file(directory, kKeyName, kKeyBytes);
  if (key && key->size() == kKeyBytes) return key;
  if (key || key.error().kind != ErrorKind::kNotFound) {
    // A key that others may know or have chosen proves nothing: a new one makes every file under the old one worthless.
    log::warning("code cache: the key file is not usable ({}); it is replaced and everything is compiled again",
                 key ? "wrong size" : key.error().detail);
    ::unlinkat(directory.get(), kKeyName, 0);
  }
  Status made = write_private_file(directory, kKeyName, new_key(), IfExists::kKeep);
  if (!made) return fail(std::move(made.error()));
  key = read_private_file(directory, kKeyName, kKeyBytes);
  if (key && key->size() != kKeyBytes) return fail(ErrorKind::kDenied, "the key file has the wrong size");
  return key;
}

struct CachedFile {
  std::string name;
  std::uint64_t bytes;
  std::int64_t used_ns;
};

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

// Code files; removes stale temporary ones on the way.
std::vector<CachedFile> list_files(const platform::Descriptor& directory) {
  std::vector<CachedFile> files;
  platform::Descriptor again(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, CloseDirectory> stream(again ? ::fdopendir(again.get()) : nullptr);
  if (stream == nullptr) return files;
  again.release();
  std::int64_t now = platform::unix_now_ns() / 1'000'000'000;
  while (const dirent* entry = ::readdir(stream.get())) {
    std::string name = entry->d_name;
    struct stat status{};
    if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (name.starts_with(kTemporaryPrefix) && now - status.st_mtim.tv_sec > kTemporarySecondsMax)
      ::unlinkat(directory.get(), name.c_str(), 0);
    if (!name.ends_with(kCodeSuffix)) continue;
    files.push_back({std::move(name), static_cast<std::uint64_t>(status.st_size),
                     status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec});
  }
  return files;
}

}  // namespace

CodeCache::CodeCache(platform::Descriptor directory, std::string key, std::string_view fingerprint,
                     std::uint64_t bytes_max)
    : directory_(std::move(directory)),
      key_(std::move(key)),
      fingerprint_(fingerprint),
      fingerprint_digest_(platform::sha256_hex(fingerprint)),
      bytes_max_(bytes_max) {}

Result<std::unique_ptr<CodeCache>> CodeCache::open(const std::string& directory, std::string_view fingerprint,
                                                   std::uint64_t bytes_max) {
  Result<platform::Descriptor> opened = open_private_directory(directory);
  if (!opened) return fail(std::move(opened.error()));
  Result<std::string> key = read_or_make_key(*opened);
  if (!key) return fail(std::move(key.error()));
  return std::unique_ptr<CodeCache>(new CodeCache(std::move(*opened), std::move(*key), fingerprint, bytes_max));
}

// Half of the fingerprint's digest: enough to keep builds apart; the MAC has all of it.
std::string CodeCache::file_name(std::string_view sha256_hex) const {
  return std::string(sha256_hex) + "-" + fingerprint_digest_.substr(0, 32) + std::string(kCodeSuffix);
}

// Everything but the code has its length in front, so that no two meanings have the same bytes. The module is in it, so
// that a file under another's name is refused.
std::string CodeCache::mac(std::string_view sha256_hex, std::string_view code) const {
  return std::string(
      platform::as_text(platform::hmac_sha256(key_, {kMagic, length_text(fingerprint_), fingerprint_,
                                                     length_text(sha256_hex), sha256_hex, length_text(code), code})));
}

Result<std::string> CodeCache::read_trusted(const std::string& name, std::string_view sha256_hex) const {
  Result<std::string> content = read_private_file(directory_, name, kFileBytesMax + kHeaderBytes);
  if (!content) return content;
  std::string_view text = *content;
  if (text.size() < kHeaderBytes || !text.starts_with(kMagic)) return fail(ErrorKind::kInvalid, "not a code file");
  std::string_view proof = text.substr(kMagic.size(), kSha256Bytes);
  std::string_view code = text.substr(kHeaderBytes);
  if (!platform::equal_in_constant_time(proof, mac(sha256_hex, code)))
    return fail(ErrorKind::kInvalid, "the MAC does not fit");
  content->erase(0, kHeaderBytes);
  return content;
}

std::optional<std::string> CodeCache::find(std::string_view sha256_hex) const {
  std::string name = file_name(sha256_hex);
  Result<std::string> code = read_trusted(name, sha256_hex);
  if (!code) {
    if (code.error().kind != ErrorKind::kNotFound) {
      log::warning("code cache: {} is ignored and compiled again: {}", name, code.error().detail);
      ::unlinkat(directory_.get(), name.c_str(), 0);
    }
    return std::nullopt;
  }
  // Used now: the order in which files are removed.
  ::utimensat(directory_.get(), name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  return std::move(*code);
}

void CodeCache::store(std::string_view sha256_hex, std::string_view code) const {
  if (code.size() > kFileBytesMax) return;
  std::string name = file_name(sha256_hex);
  std::string content;
  content.reserve(kHeaderBytes + code.size());
  content.append(kMagic).append(mac(sha256_hex, code)).append(code);
  Status written = write_private_file(directory_, name, content, IfExists::kReplace);
  if (!written)
    log::warning("code cache: {} is not kept: {} ({})", name, written.error().detail, written.error().cause);
  remove_oldest();
}

void CodeCache::remove(std::string_view sha256_hex) const {
  ::unlinkat(directory_.get(), file_name(sha256_hex).c_str(), 0);
}

void CodeCache::remove_oldest() const {
  std::vector<CachedFile> files = list_files(directory_);
  std::ranges::sort(files, {}, &CachedFile::used_ns);
  std::uint64_t total = 0;
  for (const CachedFile& file : files) total += file.bytes;
  for (const CachedFile& file : files) {
    if (total <= bytes_max_) return;
    ::unlinkat(directory_.get(), file.name.c_str(), 0);
    total -= file.bytes;
  }
}

}  // namespace sandgate::sandbox
