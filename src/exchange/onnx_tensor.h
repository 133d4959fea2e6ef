#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace onnx {
class TensorProto;
}

// Private to src/exchange.
namespace nbq::exchange {

/// A constant of the model: floats (any floating type, converted) or integers (any integer type).
struct ConstTensor {
  std::vector<std::int64_t> dims;  ///< empty: a scalar
  bool is_float = false;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  int type = 0;  ///< as it was stored (onnx::TensorProto::DataType); 0: computed while importing

  std::int64_t size() const {
    return static_cast<std::int64_t>(is_float ? floats.size() : ints.size());
  }
};

/// Number of elements, or -1: a negative dimension, or more than 2^28 elements.
std::int64_t element_count(const std::vector<std::int64_t>& dims);

/// The values of a stored tensor. External data is read from inside `folder` only.
/// `converted`, if the type was float16, bfloat16 or double, names it.
/// Errors kBadFile: sizes that don't fit; kUnsupported: the type.
Result<ConstTensor> decode_tensor(const onnx::TensorProto& proto,
                                  const std::filesystem::path& folder, const std::string& where,
                                  std::string& converted);

}  // namespace nbq::exchange
