// SPDX-License-Identifier: Apache-2.0
#include "gateway/guest_log.h"

#include "platform/log.h"

namespace sandgate::gateway {

void GuestLogLines::line(void* user, bool is_stderr, std::string_view text) noexcept {
  log::Level level = is_stderr ? log::Level::kWarning : log::Level::kInfo;
  if (!log::enabled(level)) return;
  GuestCall unknown{.module = "?", .request_id = "?"};
  GuestCall& call = user == nullptr ? unknown : *static_cast<GuestCall*>(user);
  ++call.lines;
  if (call.lines > kLinesMax + 1) return;
  if (call.lines == kLinesMax + 1) {
    log::write(level, fmt::format("module {}, request {}: more lines follow, not shown", call.module, call.request_id));
    return;
  }
  log::write(level,
             fmt::format("module {}, request {}: {}", call.module, call.request_id, log::escaped(text, kLineBytesMax)));
}

}  // namespace sandgate::gateway
