#include "train/train_op.h"

namespace nbq {

/// [N, C, H, W] -> [N, C, 1, 1]. Quantised: the sum times po2_reciprocal(H W), exactly.
at::Tensor train_global_avg_pool(const OpContext& op, const std::vector<at::Tensor>& in) {
  const auto count = static_cast<int>(in[0].size(2) * in[0].size(3));
  return wide_operand(op, in[0]).sum({2, 3}, true) * mean_factor(op, count);
}

}  // namespace nbq
