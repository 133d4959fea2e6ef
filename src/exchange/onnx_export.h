#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "model/graph.h"

namespace nbq {

/// How the numbers of an integer network are written.
enum class OnnxForm : std::uint8_t {
  kQdq,    ///< 8-bit integers between QuantizeLinear and DequantizeLinear, powers of two as scales
  kFloat,  ///< float32 weights of the same values; activations are not rounded
  kQonnx,  ///< float32 through QONNX's Quant nodes, with every width and nbq's rounding
};

/// What the ONNX model takes, as batch x channels x rows x columns.
enum class OnnxInput : std::uint8_t {
  kUint8,  ///< pixels
  kFloat,  ///< (pixel - 128) / 128
};

struct OnnxExportOptions {
  OnnxForm form = OnnxForm::kQdq;
  OnnxInput input = OnnxInput::kUint8;
  /// kQdq: signed activations as uint8 with zero point 128, not as int8 with 0: the same numbers,
  /// for engines whose kernels want all operands of one type.
  bool all_uint8 = false;
};

/// The bytes of an ONNX model (opset 13) with the input "image" and the output "logits", float,
/// batch x outputs, in real units. docs/export.md says where its rounding differs from nbq's.
/// Errors: what verify_integer() finds; kUnsupported, naming the layer: numbers that 8-bit
/// activations and weights or 32-bit biases don't hold (kQdq), biases that float32 does not hold
/// (kQonnx), a model of more than 2 GB.
Result<std::vector<std::uint8_t>> export_onnx_bytes(const Graph& integer,
                                                    const OnnxExportOptions& options);

/// The same into a file. Errors as above, and kIo.
Status export_onnx(const std::filesystem::path& path, const Graph& integer,
                   const OnnxExportOptions& options);

}  // namespace nbq
