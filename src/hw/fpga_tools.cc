#include "hw/fpga_tools.h"

#include <unistd.h>

#include <cstdlib>

#include "core/data_dir.h"
#include "core/process.h"

namespace nbq::hw {
namespace fs = std::filesystem;

Result<fs::path> find_fpga_tool(const std::string& name) {
  const char* dir = std::getenv("NBQ_FPGA_DIR");
  const fs::path bin =
      (dir != nullptr && *dir != '\0' ? fs::path(dir) : data_dir() / "build/fpga") / "bin";
  const std::string names[] = {name, "yowasp-" + name};
  for (const std::string& n : names)
    if (const fs::path tool = bin / n; ::access(tool.c_str(), X_OK) == 0) return tool;
  for (const std::string& n : names)
    if (const auto tool = find_tool(n, ""); tool.ok()) return *tool;
  return make_error(
      ErrorCode::kToolMissing,
      "{} is not installed: run scripts/setup-fpga of nbq's sources (or put {} on PATH)", name,
      name);
}

}  // namespace nbq::hw
