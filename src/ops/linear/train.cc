#include "train/train_op.h"

namespace nbq {

/// x [N, C, 1, 1] -> [N, out_features, 1, 1]
at::Tensor train_linear(const OpContext& op, const std::vector<at::Tensor>& in) {
  const at::Tensor x = operand(op, in[0]).reshape({in[0].size(0), in[0].size(1)});
  return normed(op, at::linear(x, pass_weight(op), pass_bias(op))).unsqueeze(-1).unsqueeze(-1);
}

}  // namespace nbq
