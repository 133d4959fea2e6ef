#include "capi/status.h"

#include <string>

namespace nbq::capi {
namespace {

struct LastError {
  std::string text;
  const char* shown = "";  ///< text, or what is left to say when there is no memory for one
};
thread_local LastError this_threads;

nbq_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return NBQ_BAD_ARGUMENT;
    case ErrorCode::kBadFile:
      return NBQ_BAD_FILE;
    case ErrorCode::kOverflow:
      return NBQ_OVERFLOW;
    case ErrorCode::kUnsupported:
      return NBQ_UNSUPPORTED;
    case ErrorCode::kIo:
      return NBQ_IO;
    case ErrorCode::kToolMissing:
    case ErrorCode::kDiverged:
    case ErrorCode::kPeerLost:
      return NBQ_INTERNAL;  // no part of running a network
  }
  return NBQ_INTERNAL;
}

}  // namespace

int fail(nbq_status status, std::string_view message) noexcept {
  LastError& e = this_threads;
  try {
    e.text = message;
    e.shown = e.text.c_str();
  } catch (const std::bad_alloc&) {
    e.shown = "out of memory";
  }
  return status;
}

int fail(const Error& error) noexcept { return fail(status_of(error.code), error.message); }

const char* last_error() noexcept { return this_threads.shown; }

}  // namespace nbq::capi
