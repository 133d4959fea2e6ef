#include "train/train_op.h"

namespace nbq {

/// Zeros around [N, C, H, W].
at::Tensor train_pad(const OpContext& op, const std::vector<at::Tensor>& in) {
  const auto& a = std::get<PadAttrs>(op.node().attrs);
  return at::constant_pad_nd(in[0], {a.left, a.right, a.top, a.bottom, a.before_c, a.after_c}, 0);
}

}  // namespace nbq
