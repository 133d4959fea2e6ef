#include "core/data_dir.h"

namespace nbq {
namespace fs = std::filesystem;

fs::path data_dir() {
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  const fs::path installed = (program.parent_path() / NBQ_DATA_FROM_BIN).lexically_normal();
  return fs::is_directory(installed / "rtl", ec) ? installed : fs::path(NBQ_SOURCE_DIR);
}

}  // namespace nbq
