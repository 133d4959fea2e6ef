#include "train/train_op.h"

namespace nbq {

/// x [N, C, H, W] -> [N, out_channels, H', W']; padding is the real number 0.
at::Tensor train_conv2d(const OpContext& op, const std::vector<at::Tensor>& in) {
  const auto& a = std::get<Conv2dAttrs>(op.node().attrs);
  const Window& w = a.window;
  at::Tensor x = operand(op, in[0]);
  if (op.pass.exact && x.is_cuda()) {
    const at::Tensor y = unfolded_conv2d(x, pass_weight(op), w, a.groups), bias = pass_bias(op);
    return bias.defined() ? y + bias.view({1, -1, 1, 1}) : y;
  }
  const bool even = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right;
  if (!even) x = pad_map(x, w, 0);
  return normed(op, at::conv2d(x, pass_weight(op), pass_bias(op), {w.stride_h, w.stride_w},
                               {even ? w.pad_top : 0, even ? w.pad_left : 0},
                               {w.dilation_h, w.dilation_w}, a.groups));
}

}  // namespace nbq
