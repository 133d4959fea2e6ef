#pragma once
#include "train/train_op.h"

// Private to src/train: norms that layers have taken up.
namespace nbq {

/// Made once for each node and pass.
const NormAffine& norm_affine(const OpContext& op);

/// Batch norm of a float network with the statistics of the whole batch that processes share; the
/// running statistics follow them, as at::batch_norm() has it.
at::Tensor shared_batch_norm(const OpContext& op, const at::Tensor& x);

}  // namespace nbq
