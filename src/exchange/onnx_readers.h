#pragma once
#include "exchange/onnx_state.h"

// Private to src/exchange: one function for each row of the table in onnx_readers.cc.
namespace nbq::exchange {

// onnx_layers.cc
Status read_conv(NodeContext& n);
Status read_gemm(NodeContext& n);
Status read_matmul(NodeContext& n);
Status read_batch_norm(NodeContext& n);
Status read_relu(NodeContext& n);
Status read_clip(NodeContext& n);
Status read_add(NodeContext& n);
Status read_sum(NodeContext& n);
Status read_sub(NodeContext& n);
Status read_mul(NodeContext& n);
Status read_div(NodeContext& n);
Status read_concat(NodeContext& n);
Status read_softmax(NodeContext& n);

// onnx_pooling.cc
Status read_max_pool(NodeContext& n);
Status read_average_pool(NodeContext& n);
Status read_global_average_pool(NodeContext& n);
Status read_global_max_pool(NodeContext& n);
Status read_reduce_mean(NodeContext& n);

// onnx_plumbing.cc
Status read_flatten(NodeContext& n);
Status read_reshape(NodeContext& n);
Status read_squeeze(NodeContext& n);
Status read_unsqueeze(NodeContext& n);
Status read_transpose(NodeContext& n);
Status read_cast(NodeContext& n);
Status read_dropout(NodeContext& n);
Status read_identity(NodeContext& n);
Status read_pad(NodeContext& n);
Status read_slice(NodeContext& n);
Status read_shape(NodeContext& n);

// onnx_quant.cc
Status read_quantize_linear(NodeContext& n);
Status read_dequantize_linear(NodeContext& n);
/// QONNX's Quant and IntQuant.
Status read_quant(NodeContext& n);

/// kernel_shape, strides, pads, dilations, auto_pad and ceil_mode as a window over maps of `in`.
/// `kernel`: rows and columns, when the weights tell; else 0.
Result<Window> read_window(NodeContext& n, const Shape& in, int kernel_h, int kernel_w);

}  // namespace nbq::exchange
