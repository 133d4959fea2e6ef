#include "train/train_op.h"

namespace nbq {

/// The divisor counts the padding. Quantised: the sum times po2_reciprocal(count), exactly.
at::Tensor train_avg_pool(const OpContext& op, const std::vector<at::Tensor>& in) {
  const Window& w = std::get<AvgPoolAttrs>(op.node().attrs).window;
  const int count = w.kernel_h * w.kernel_w;
  return window_sum(wide_operand(op, in[0]), w) * mean_factor(op, count);
}

}  // namespace nbq
