#pragma once
#include <torch/torch.h>

#include "core/result.h"
#include "train/act_lanes.h"
#include "train/cuda_kernels.h"

// Private to src/train: tensors as the kernels see them.
namespace nbq {

/// Calls f with the tensor's data as float* or, for bfloat16, as its bits.
template <class F>
void with_data(const at::Tensor& t, F&& f) {
  if (t.scalar_type() == at::kBFloat16)
    f(reinterpret_cast<Bf16*>(t.data_ptr<at::BFloat16>()));
  else
    f(t.data_ptr<float>());
}

/// An empty mask of so many words.
inline at::Tensor make_mask(std::int64_t words, at::Device device = at::kCPU) {
  return at::empty({words}, at::TensorOptions(device).dtype(at::kShort));
}
inline MaskWord* mask_data(const at::Tensor& mask) {
  return mask.defined() ? reinterpret_cast<MaskWord*>(mask.data_ptr<std::int16_t>()) : nullptr;
}

/// A tensor as the GPU's kernels see it: float32, bfloat16 or float64.
inline cuda::Array cuda_array(const at::Tensor& t) {
  switch (t.scalar_type()) {
    case at::kBFloat16:
      return {t.data_ptr(), cuda::Type::kBfloat16};
    case at::kDouble:
      return {t.data_ptr(), cuda::Type::kDouble};
    default:
      NBQ_CHECK(t.scalar_type() == at::kFloat);
      return {t.data_ptr(), cuda::Type::kFloat};
  }
}

}  // namespace nbq
