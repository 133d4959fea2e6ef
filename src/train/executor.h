#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "data/dataset.h"
#include "model/quantise.h"

namespace nbq {

/// Executes any Graph, whatever its stage, through libtorch. Pixels are x = (pixel - 128) / 128, in
/// float graphs with mean and std (pixel/255 - mean) / std. Quantised graphs run as at alpha = 1;
/// they and integer graphs give exactly the integers of spec/numerics.md. Every function: errors of
/// check_state() / verify_integer(), kInvalidArgument for images of a wrong size, kUnsupported with
/// libtorch's message.

/// Logits of a quantised or integer graph in units of the output's accumulator, n x outputs.
/// pixels  n x C x H x W.  Errors kInvalidArgument: a float graph, which has no integers.
Result<std::vector<std::int64_t>> torch_logits(const Graph& graph,
                                               std::span<const std::uint8_t> pixels, int n);

/// Logits as real numbers, any stage, n x outputs.
Result<std::vector<float>> torch_scores(const Graph& graph, std::span<const std::uint8_t> pixels,
                                        int n);

/// The same of real numbers, as a float graph's first layer sees them.
/// image  n x C x H x W, after mean and std.  Errors kInvalidArgument: not a float graph.
Result<std::vector<float>> torch_scores(const Graph& graph, std::span<const float> image, int n);

struct EvalResult {
  std::size_t images = 0;
  std::size_t correct = 0;
  double accuracy = 0;  ///< percent
  double loss = 0;      ///< mean cross entropy
  /// classes x classes, row-major: images of the row's class that were given the column's.
  std::vector<std::int64_t> confusion;
  int classes = 0;
  double seconds = 0;
};

/// Over all of `source`, `batch` images at a time. Among equal logits the first counts.
/// Errors also those of ImageSource::load().
Result<EvalResult> evaluate_torch(const Graph& graph, const ImageSource& source, int batch = 250);

/// A sample of every node's values, for quantise(): `graph` is folded; runs the first `n` of
/// `images` (indices into source; empty: spread evenly over all of it).
Result<ActSamples> calibrate(const Graph& graph, const ImageSource& source, std::size_t n,
                             std::span<const std::size_t> images = {});

/// Puts a batch norm after every convolution that has none, gamma and beta being the deviation and
/// mean that the convolution's output has over `n` images: evaluation stays the same (to float
/// rounding), and training has a norm to work with. For networks whose exporter folded them, as
/// PyTorch's does. Convolutions that give the logits get none.
Result<Graph> restore_norms(const Graph& float_graph, const ImageSource& source, std::size_t n,
                            std::span<const std::size_t> images = {});

/// Post-training quantisation: fold, calibrate over n images, quantise. The result is kQuantised:
/// ready for deploy() or for learning. Errors also those of fold() and quantise().
Result<Graph> quantise_post_training(const Graph& float_graph, const QuantSpec& spec,
                                     const ImageSource& source, std::size_t n = 256);

}  // namespace nbq
