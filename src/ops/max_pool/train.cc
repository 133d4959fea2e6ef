#include <limits>

#include "train/train_op.h"

namespace nbq {

/// Padding never wins: it is minus infinity.
at::Tensor train_max_pool(const OpContext& op, const std::vector<at::Tensor>& in) {
  const Window& w = std::get<MaxPoolAttrs>(op.node().attrs).window;
  const bool even = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right &&
                    2 * w.pad_top <= w.kernel_h && 2 * w.pad_left <= w.kernel_w;
  const at::Tensor x = even ? in[0] : pad_map(in[0], w, -std::numeric_limits<double>::infinity());
  return at::max_pool2d(x, {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w},
                        {even ? w.pad_top : 0, even ? w.pad_left : 0});
}

}  // namespace nbq
