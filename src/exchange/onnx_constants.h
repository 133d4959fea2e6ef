#pragma once
#include <string>
#include <vector>

#include "exchange/onnx_node.h"
#include "exchange/onnx_tensor.h"

// Private to src/exchange: nodes that read constants only, as exporters leave them behind for
// shapes, paddings and weights.
namespace nbq::exchange {

struct FoldContext {
  AttributeReader& attributes;
  std::vector<const ConstTensor*> in;  ///< nullptr: an optional input that is left out
  std::int64_t max_elements;           ///< of the result
};

/// Whether such nodes can be computed while importing. (Constant and Identity copy nothing and are
/// not among them.)
bool folds_constants(const std::string& op_type);
/// The node's only output. Errors kBadFile, kUnsupported naming the node.
Result<ConstTensor> fold_constants(const std::string& op_type, const FoldContext& context);

/// Elements [start, end) of an axis of `size`, `step` apart, as ONNX's Slice counts them: negative
/// from the end, clamped. Errors: a step of 0 or less.
struct SliceRange {
  std::int64_t start = 0, count = 0, step = 1;
};
Result<SliceRange> slice_range(std::int64_t start, std::int64_t end, std::int64_t step,
                               std::int64_t size, const std::string& where);

/// `axis` in [0, rank), counted from the end when negative. Errors kBadFile.
Result<std::size_t> checked_axis(std::int64_t axis, std::size_t rank, const std::string& where);

}  // namespace nbq::exchange
