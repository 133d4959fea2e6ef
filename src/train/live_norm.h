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

/// Batch norm of a float network with the statistics of the whole batch that processes share; the
/// running statistics follow them, as at::batch_norm() has it.
at::Tensor shared_batch_norm(const OpContext& op, const at::Tensor& x);

}  // namespace nbq
