// SPDX-License-Identifier: Apache-2.0
//
// Serves the files of a folder: the one that the rest of the path names (exchange.route.rest, percent-decoded once).
// GET and HEAD, with validators, preconditions and single ranges (http/conditional.h). Shared by all loops, immutable.
//
// Nothing outside the folder can be named (platform/directory.h), nor a file or folder whose name begins with a dot,
// unless the options allow that; a "/" or NUL that was percent-encoded is refused. A folder is its first index that
// exists, else 404: nothing is listed. Without its slash at the end it is a redirect there.
//
// Files are read by pread in pieces of 64 KiB, each sent before the next is read, and after kPiecesPerTurn of them
// others have their turn. So a loop stands still for one piece that is not in the page cache: some 0.1 ms from an SSD.
// sendfile would save the copy but blocks for the same disk, for as many bytes as the socket takes, and TLS cannot use
// it. Each response that is being sent holds a descriptor and a piece. A file that becomes shorter while it is sent
// ends the response as broken; one that is replaced by rename is sent as it was.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "exchange/handler.h"
#include "platform/directory.h"

namespace sandgate::gateway {

struct StaticFilesOptions {
  // Whether names that begin with a dot are served.
  enum class DotFiles : unsigned char { kRefused, kServed };

  std::string directory;                            // absolute
  std::vector<std::string> index = {"index.html"};  // tried in this order; may be empty
  std::string cache_control;                        // a valid field value; empty: not said
  DotFiles dot_files = DotFiles::kRefused;

  bool operator==(const StaticFilesOptions&) const = default;
};

class StaticFiles final : public Handler {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;
  static constexpr unsigned kPiecesPerTurn = 16;

  // Opens the folder. Errors: as Directory::open.
  static Result<std::unique_ptr<StaticFiles>> create(StaticFilesOptions options);

  // Errors: kInvalid (a path that names no file on any disk), and as Directory::open_file. kInternal after the head
  // when the file became shorter.
  Task<Status> serve(Exchange& exchange) const override;

 private:
  StaticFiles(StaticFilesOptions options, platform::Directory directory)
      : options_(std::move(options)), directory_(std::move(directory)) {}

  // What is to be sent for a name: a file, or nothing when the answer is a redirect to the folder's slash.
  struct Found {
    platform::OpenFile file;
    std::string name;
    bool redirect = false;
  };
  Result<Found> find(std::string_view rest) const;
  Result<Found> find_index(const std::string& folder) const;
  Task<Status> answer(Exchange& exchange, const Found& found) const;

  StaticFilesOptions options_;
  platform::Directory directory_;
};

// The name of a file that the rest of a path means: percent-decoded once. Nothing when it has an encoded "/", a NUL or
// a broken encoding, or segments that are empty, "." or "..", which a path in its normal form has not.
std::optional<std::string> file_name_of(std::string_view rest);

}  // namespace sandgate::gateway
