#include "train/train_op.h"

namespace nbq {

/// Along channels. The operands' scales may differ: real values need no alignment.
at::Tensor train_concat(const OpContext& op, const std::vector<at::Tensor>& in) {
  if (!op.quantised()) return at::cat(in, 1);
  std::vector<at::Tensor> wide;
  for (const at::Tensor& x : in) wide.push_back(wide_operand(op, x));
  return at::cat(wide, 1);
}

}  // namespace nbq
