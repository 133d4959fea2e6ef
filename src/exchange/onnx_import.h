#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/graph.h"

namespace nbq {

struct ImportOptions {
  std::string name;  ///< of the network; empty: the file's
  /// What the network expects of pixels in 0..1: (pixel - mean) / std, one for each channel or one
  /// for all. Empty: (pixel byte - 128) / 128.
  std::vector<float> mean, std;
  std::optional<Shape> input;  ///< image size, for models that leave it open
};

/// Reads an ONNX model (opset 9..28; docs/import.md lists its operators) as a float graph with
/// parameters: shapes set, check_state() fulfilled. With quantizers (QDQ form, or QONNX's) it
/// becomes an integer graph of the same values: verify_integer() fulfilled; kUnsupported where that
/// would not be exact. What was left out or converted is described in `notes`. Errors kBadFile,
/// kUnsupported name file and node, and say what to do; kInvalidArgument: options that don't fit
/// the model.
Result<Graph> import_onnx(const std::filesystem::path& path, const ImportOptions& options = {},
                          std::vector<std::string>* notes = nullptr);

/// The same from bytes, whatever they are; `folder` is where external data lies.
Result<Graph> import_onnx_bytes(std::span<const std::uint8_t> bytes,
                                const std::filesystem::path& folder,
                                const ImportOptions& options = {},
                                std::vector<std::string>* notes = nullptr);

}  // namespace nbq
