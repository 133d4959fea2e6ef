#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nbq {

/// Finds `tool` on PATH. Error kToolMissing names it and the Debian package that has it.
Result<std::filesystem::path> find_tool(const std::string& tool, const std::string& package);

struct ProcessResult {
  int exit_code;       ///< 128 + signal when killed
  std::string output;  ///< stdout and stderr together
};

/// Gets what a process prints, piece by piece as it comes; false: the process is to be ended.
using Listener = std::function<bool(std::string_view)>;

/// Runs argv[0] (a path or a name on PATH) without a shell and waits. Error kIo: can't be started.
Result<ProcessResult> run_process(const std::vector<std::string>& argv,
                                  const std::filesystem::path& working_dir = {},
                                  const Listener& listener = {});

}  // namespace nbq
