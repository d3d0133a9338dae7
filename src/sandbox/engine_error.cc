// SPDX-License-Identifier: Apache-2.0
#include "sandbox/engine_error.h"

#include <string>

namespace sandgate::sandbox {
namespace {

// Texts may quote what a module chose (import names): enough to understand, no channel.
constexpr std::size_t kMessageBytesMax = 2048;

FailureKind failure_kind(sg_error_kind kind) {
  switch (kind) {
    case SG_ERROR_TRAP: return FailureKind::kTrap;
    case SG_ERROR_DEADLINE: return FailureKind::kDeadline;
    case SG_ERROR_CPU: return FailureKind::kCpu;
    case SG_ERROR_MEMORY: return FailureKind::kMemory;
    case SG_ERROR_STACK: return FailureKind::kStack;
    case SG_ERROR_EXIT: return FailureKind::kExit;
    case SG_ERROR_BAD_RESULT: return FailureKind::kBadResult;
    case SG_ERROR_TOO_LARGE: return FailureKind::kTooLarge;
    case SG_ERROR_CAPACITY: return FailureKind::kCapacity;
    case SG_ERROR_CANCELLED: return FailureKind::kCancelled;
    // The rest cannot come out of a call of a loaded module; if it does, the bug is ours.
    case SG_ERROR_INVALID_MODULE:
    case SG_ERROR_UNSUPPORTED:
    case SG_ERROR_LINK:
    case SG_ERROR_EXPORTS:
    case SG_ERROR_INTERNAL: return FailureKind::kInternal;
  }
  return FailureKind::kInternal;
}

}  // namespace

GuestFailure take_failure(sg_error* error) {
  std::string_view message = to_text(::sg_error_message(error)).substr(0, kMessageBytesMax);
  std::string_view trap = to_text(::sg_error_trap(error));
  GuestFailure failure{failure_kind(::sg_error_get_kind(error)), std::string(trap)};
  if (!trap.empty() && !message.empty()) failure.detail += ": ";
  failure.detail += message;
  ::sg_error_drop(error);
  return failure;
}

Error take_error(sg_error* error) {
  Error made = to_error(::sg_error_get_kind(error), to_text(::sg_error_message(error)));
  ::sg_error_drop(error);
  return made;
}

Error to_error(sg_error_kind kind, std::string_view message) {
  std::string text(message.substr(0, kMessageBytesMax));
  switch (kind) {
    case SG_ERROR_INVALID_MODULE:
    case SG_ERROR_UNSUPPORTED:
    case SG_ERROR_EXPORTS: return {ErrorKind::kInvalid, std::move(text)};
    case SG_ERROR_LINK: return {ErrorKind::kDenied, std::move(text)};
    case SG_ERROR_CAPACITY: return {ErrorKind::kOverloaded, "no room for another module", std::move(text)};
    default: return {ErrorKind::kInternal, "the wasm engine failed", std::move(text)};
  }
}

}  // namespace sandgate::sandbox
