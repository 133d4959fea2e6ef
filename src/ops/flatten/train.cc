#include "train/train_op.h"

namespace nbq {

/// [N, C, H, W] -> [N, C H W, 1, 1], in the order channel, row, column.
at::Tensor train_flatten(const OpContext&, const std::vector<at::Tensor>& in) {
  return in[0].reshape({in[0].size(0), -1, 1, 1});
}

}  // namespace nbq
