#pragma once
#include "train/train_op.h"

// Private to src/train: norms that layers have taken up.
namespace nbq {

/// gamma / sigma and -mean * gamma / sigma of the layer's norm, in float64 and then rounded, as
/// fold_norm() does it; constants to the gradient.
struct NormAffine {
  at::Tensor scale, offset;
};
NormAffine norm_affine(const OpContext& op);

}  // namespace nbq
