#pragma once
#include <filesystem>
#include <string>

#include "core/result.h"

namespace nbq::hw {

/// One of the tools that scripts/setup-fpga installs at pinned versions: yosys, nextpnr-ecp5,
/// ecppack. Looked for in the folder bin of $NBQ_FPGA_DIR, else of build/fpga in data_dir(),
/// then on PATH, each as <name> and then as yowasp-<name>. The latter are WebAssembly: several
/// times slower, and they see files below the working folder only. Error kToolMissing: names the
/// tool and the script.
Result<std::filesystem::path> find_fpga_tool(const std::string& name);

}  // namespace nbq::hw
