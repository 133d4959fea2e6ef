#pragma once
#include <torch/torch.h>

#include "train/act_lanes.h"

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
inline at::Tensor make_mask(std::int64_t words) { return at::empty({words}, at::kShort); }
inline MaskWord* mask_data(const at::Tensor& mask) {
  return mask.defined() ? reinterpret_cast<MaskWord*>(mask.data_ptr<std::int16_t>()) : nullptr;
}

}  // namespace nbq
