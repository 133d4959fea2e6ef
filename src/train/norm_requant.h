#pragma once
#include <torch/torch.h>

#include <vector>

#include "model/graph.h"
#include "train/peers.h"

// Private to src/train.
namespace nbq {

/// Statistics per channel of a batch, as running statistics take them up: the unbiased variance.
struct BatchStatistics {
  std::vector<double> mean, var;
};

/// Batch norm with the batch's statistics and requantise(), in two passes over z forward and two
/// backward:
///   u = gamma (z - mean) / sqrt(var + eps) + beta,  clamp(floor(u 2^-exp + 1/2), lo, hi) 2^exp.
/// The gradient passes where the clamp lets it, one bit an element. Statistics don't depend on the
/// number of threads.
/// z [N, C, ...] float32 or bfloat16.  gamma, beta [C] float32.  eps  per channel; var + eps = 0
/// gives u = beta.  peers: the batch's statistics are those of all parts; gradients of gamma and
/// beta are of this part, to be summed with the others'.  format  null: u itself.  Result  of type
/// `out`, which holds the format.
at::Tensor norm_requantise(const at::Tensor& z, const at::Tensor& gamma, const at::Tensor& beta,
                           const std::vector<double>& eps, const ActFormat* format,
                           at::ScalarType out, BatchStatistics& seen, const NormPeers& peers = {});

}  // namespace nbq
