#include "exchange/onnx_readers.h"

namespace nbq::exchange {
namespace {

struct Row {
  const char* op_type;
  ReaderFn read;
};

// One row for each ONNX operator; docs/import.md says what of it is supported.
constexpr Row kReaders[] = {
    {"Add", read_add},
    {"AveragePool", read_average_pool},
    {"BatchNormalization", read_batch_norm},
    {"Cast", read_cast},
    {"Clip", read_clip},
    {"Concat", read_concat},
    {"Conv", read_conv},
    {"DequantizeLinear", read_dequantize_linear},
    {"Div", read_div},
    {"Dropout", read_dropout},
    {"Flatten", read_flatten},
    {"Gemm", read_gemm},
    {"GlobalAveragePool", read_global_average_pool},
    {"GlobalMaxPool", read_global_max_pool},
    {"Identity", read_identity},
    {"LogSoftmax", read_softmax},
    {"MatMul", read_matmul},
    {"MaxPool", read_max_pool},
    {"Mul", read_mul},
    {"Pad", read_pad},
    {"QuantizeLinear", read_quantize_linear},
    {"ReduceMean", read_reduce_mean},
    {"Relu", read_relu},
    {"Reshape", read_reshape},
    {"Shape", read_shape},
    {"Slice", read_slice},
    {"Softmax", read_softmax},
    {"Squeeze", read_squeeze},
    {"Sub", read_sub},
    {"Sum", read_sum},
    {"Transpose", read_transpose},
    {"Unsqueeze", read_unsqueeze},
};

}  // namespace

ReaderFn find_reader(const std::string& op_type) {
  for (const Row& r : kReaders)
    if (op_type == r.op_type) return r.read;
  return nullptr;
}

std::string known_operators() {
  std::string all = "Constant";
  for (const Row& r : kReaders) all += std::string(", ") + r.op_type;
  return all;
}

}  // namespace nbq::exchange
