#include "train/train_op.h"

namespace nbq {

at::Tensor train_add(const OpContext& op, const std::vector<at::Tensor>& in) {
  if (!op.quantised()) return in[0] + in[1];
  return wide_operand(op, in[0]) + wide_operand(op, in[1]);
}

}  // namespace nbq
