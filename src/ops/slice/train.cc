#include "train/train_op.h"

namespace nbq {

/// Parts of [N, C, H, W], copied: later layers expect dense tensors.
at::Tensor train_slice(const OpContext& op, const std::vector<at::Tensor>& in) {
  const auto& a = std::get<SliceAttrs>(op.node().attrs);
  const auto part = [](const at::Tensor& x, int axis, std::int64_t start, std::int64_t size,
                       std::int64_t step) {
    return x.slice(axis, start, start + (size - 1) * step + 1, step);
  };
  at::Tensor x = part(in[0], 1, a.start_c, a.size_c, a.step_c);
  x = part(x, 2, a.start_h, a.size_h, a.step_h);
  return part(x, 3, a.start_w, a.size_w, a.step_w).contiguous(in[0].suggest_memory_format());
}

}  // namespace nbq
