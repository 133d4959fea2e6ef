#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/result.h"

namespace nbq::cli {

/// What `nbq info --json` tells of a model: bits, bytes and work, in all and of each layer.
/// Errors as load_nbq().
Result<nlohmann::ordered_json> model_info(const std::filesystem::path& path);

}  // namespace nbq::cli
