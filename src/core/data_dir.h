#pragma once
#include <filesystem>

namespace nbq {

/// Folder of what programs read while they run: rtl/, boards/, zoo/. Where nbq is installed, found
/// from the executable, so that an installation can be moved; else the source tree.
std::filesystem::path data_dir();

}  // namespace nbq
