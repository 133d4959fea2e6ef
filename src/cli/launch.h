#pragma once
#include <string>

#include "core/result.h"

namespace nbq::cli {

/// This process was started by launch() or by torchrun.
bool is_launched();

struct Launched {
  int exit = 0;     ///< of all processes, or of the one that failed
  std::string out;  ///< what rank 0 wrote to stdout
};

/// Starts this program `count` times more with the same arguments, on this machine, with torchrun's
/// environment variables, and waits. Ranks from 1 on write nowhere, but the stderr of one that
/// fails is shown. When one fails or is killed the others are ended. SIGINT and SIGTERM go on to
/// all. Errors kIo: a process can't be started; one was killed, which the message names.
Result<Launched> launch(int count);

}  // namespace nbq::cli
