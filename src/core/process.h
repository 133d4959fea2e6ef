#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace nbq {

/// Finds `tool` on PATH. Error kToolMissing names it and the Debian package that has it.
Result<std::filesystem::path> find_tool(const std::string& tool, const std::string& package);

struct ProcessResult {
  int exit_code;       ///< 128 + signal when killed
  std::string output;  ///< stdout and stderr together
};

/// Runs argv[0] (a path or a name on PATH) without a shell and waits. Error kIo: can't be started.
Result<ProcessResult> run_process(const std::vector<std::string>& argv,
                                  const std::filesystem::path& working_dir = {});

}  // namespace nbq
