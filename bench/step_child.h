#pragma once
#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

#include "core/result.h"

// Private to bench/.
namespace nbq {

/// Another program that steps when it is told to: it prints "ready" once, then for each line it
/// reads the seconds of one step. Ends with this object.
class StepChild {
 public:
  /// Waits until it is ready. Error kToolMissing: it ended before; what it said is on stderr.
  static Result<StepChild> start(const std::vector<std::string>& argv);
  StepChild(StepChild&& other) noexcept;
  StepChild& operator=(StepChild&&) = delete;
  ~StepChild();

  /// Seconds of one step. Error kIo: the program ended.
  Result<double> step();

 private:
  StepChild() = default;
  Result<std::string> read_line();

  pid_t pid_ = -1;
  int to_ = -1;
  std::FILE* from_ = nullptr;
};

}  // namespace nbq
