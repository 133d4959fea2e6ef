#include "train/train_op.h"

namespace nbq {

/// Quantised, the clamp of the output stage does it.
at::Tensor train_relu(const OpContext& op, const std::vector<at::Tensor>& in) {
  if (op.quantised()) return in[0];
  const float max = std::get<ReluAttrs>(op.node().attrs).max;
  return max > 0 ? at::clamp(in[0], 0, max) : at::relu(in[0]);
}

}  // namespace nbq
