#include "core/result.h"

#include <cstdio>
#include <cstdlib>

namespace nbq {

int exit_code(const Error& error) {
  switch (error.code) {
    case ErrorCode::kDiverged:
      return 1;
    case ErrorCode::kInvalidArgument:
      return 2;
    case ErrorCode::kToolMissing:
      return 4;
    case ErrorCode::kPeerLost:
      return 5;
    case ErrorCode::kBadFile:
    case ErrorCode::kOverflow:
    case ErrorCode::kUnsupported:
    case ErrorCode::kIo:
      return 3;
  }
  return 3;
}

void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: internal error: %s does not hold\n", file, line, what);
  std::abort();
}

}  // namespace nbq
