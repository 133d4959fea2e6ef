#include "train/live_norm.h"
#include "train/train_op.h"

namespace nbq {

/// Float: batch normalisation with its statistics. Quantised: x * (+-2^s) + bias per channel, as
/// spec/numerics.md has it for a batch norm that no convolution took up.
at::Tensor train_batch_norm(const OpContext& op, const std::vector<at::Tensor>& in) {
  if (!op.quantised() && op.pass.training && op.pass.norms.peers != nullptr)
    return shared_batch_norm(op, in[0]);
  const auto& a = std::get<BatchNormAttrs>(op.node().attrs);
  const at::Tensor weight = pass_weight(op);
  const at::Tensor bias = pass_bias(op);
  if (!op.quantised())
    return at::batch_norm(in[0], weight, bias, op.params.at("running_mean"),
                          op.params.at("running_var"), op.pass.training, a.momentum, a.eps, false);
  const at::Tensor y = wide_operand(op, in[0]) * weight.view({1, -1, 1, 1});
  return bias.defined() ? y + bias.view({1, -1, 1, 1}) : y;
}

}  // namespace nbq
