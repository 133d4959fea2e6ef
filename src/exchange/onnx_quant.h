#pragma once
#include "exchange/onnx_constants.h"
#include "exchange/onnx_state.h"

// Private to src/exchange: quantizers of the QDQ form and of QONNX, over constants and activations.
namespace nbq::exchange {

/// Quant or IntQuant of one of the sets that QONNX's tools write them in.
bool is_qonnx_quant(const onnx::NodeProto& proto);

// Rows of onnx_constants.cc. Errors kUnsupported, naming node and element.
Result<ConstTensor> fold_dequantize_linear(const FoldContext& c);
Result<ConstTensor> fold_quantize_linear(const FoldContext& c);
Result<ConstTensor> fold_quant(const FoldContext& c);

/// A Clip whose limits are no relu's stays a marker, for the rounding behind it.
Status give_marker(NodeContext& n, Value v, const Marker& marker, const ActFormat& act);
Error unsupported_clip(const std::string& where, double low, double high);

/// The exponent of a power of two within float's. Nothing: it is none.
std::optional<int> power_of_two(double v);

}  // namespace nbq::exchange
