#pragma once
#include <torch/torch.h>

#include <vector>

#include "model/graph.h"
#include "train/peers.h"

// Private to src/train.
namespace nbq {

/// Statistics per channel of a batch, as running statistics take them up: the unbiased variance.
/// float64 [C], on the batch's device.
struct BatchStatistics {
  at::Tensor mean, var;
};

/// Batch norm with the batch's statistics and requantise(), in two passes over z forward and two
/// backward:
///   u = gamma (z - mean) / sqrt(var + eps) + beta,  clamp(floor(u 2^-exp + 1/2), lo, hi) 2^exp.
/// The gradient passes where the clamp lets it, one bit an element. Statistics don't depend on the
/// number of threads.
/// z [N, C, ...] float32 or bfloat16, `scale` times what the norm is of: eps counts scale^2 times,
/// and where scale is negative so is gamma's factor.  gamma, beta, scale [C] float32, the last a
/// constant; undefined: 1.  var + eps = 0 gives u = beta.  peers: the batch's statistics are those
/// of all parts; gradients of gamma and beta are of this part, to be summed with the others'.
/// format  null: u itself.  Result  of type `out`, which holds the format.
at::Tensor norm_requantise(const at::Tensor& z, const at::Tensor& gamma, const at::Tensor& beta,
                           const at::Tensor& scale, double eps, const ActFormat* format,
                           at::ScalarType out, BatchStatistics& seen, const NormPeers& peers = {});

// The parts of it.

/// As loops over channels have them.
struct ChannelStatistics {
  std::vector<double> mean, var;
};
/// The processes' batches as one: `found`, of `count` elements a channel, becomes that of all.
/// Returns all elements of a channel.
double join(const NormPeers& of, double count, ChannelStatistics& found);
/// norm_requantise() of a z on the GPU.
at::Tensor norm_requantise_cuda(const at::Tensor& z, const at::Tensor& gamma,
                                const at::Tensor& beta, const at::Tensor& scale, double eps,
                                const ActFormat* format, at::ScalarType out, bool wants_gradient,
                                BatchStatistics& seen, const NormPeers& peers);

}  // namespace nbq
