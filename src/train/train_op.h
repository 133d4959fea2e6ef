#pragma once
#include <torch/torch.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/graph.h"
#include "train/norm_requant.h"
#include "train/peers.h"

// Private to src/train and src/ops/*/train.cc: what a layer's libtorch forward sees.
namespace nbq {

/// What kind of pass through the network this is.
struct Pass {
  bool training = false;  ///< batch norm uses, and learns from, the statistics of the batch
  /// Norms that layers have taken up (Node::norm) use their running statistics, as deploy() will,
  /// also in training.
  bool freeze_norms = false;
  NormPeers norms = {};       ///< live norms of a batch that processes share
  double norm_momentum = -1;  ///< of taken-up norms' statistics; below 0: each layer's own
  double norm_pace = 1;       ///< times that
  bool means_only = false;    ///< of these statistics only the means follow the batch
  /// If there, statistics of taken-up norms' z are added up here, by node, and follow nothing.
  std::map<int, BatchStatistics>* seen = nullptr;
  /// Evaluation of an integer graph, exactly: every layer computes in float32 where its accumulator
  /// is proved to fit 24 bits, else in float64.
  bool exact = false;
  /// Forward weight W~ = (1 - blend) W + blend Q(W); gradient dW~/dW = slope. Quantised graphs
  /// only.
  double blend = 1;
  double slope = 1;
};

class WeightMethod;
using Params = std::map<std::string, at::Tensor>;

/// gamma / sigma and -mean * gamma / sigma of a layer's norm, in float64 and then rounded, as
/// fold_norm() does it; constants to the gradient.
struct NormAffine {
  at::Tensor scale, offset;
};

/// One node in one pass. Values are real numbers x_int * 2^exp, N x C x H x W.
struct OpContext {
  const Graph& graph;
  int id;
  const Pass& pass;
  const Params& params;  ///< of this node, by their usual names
  at::ScalarType dtype;  ///< exact passes compute in this
  /// int32, locked, on the network's device: of the weights, one per channel, and of the
  /// accumulators, one or one per channel. Undefined where there are none.
  const at::Tensor &weight_exps, &acc_exps;
  WeightMethod* method = nullptr;  ///< of a float layer's weights (weight_method.h); null: none
  mutable std::optional<NormAffine> affine = {};  ///< see norm_affine()

  const Node& node() const { return graph.nodes[static_cast<std::size_t>(id)]; }
  bool quantised() const { return graph.stage != Stage::kFloat; }
  /// The layer's norm works with the batch's statistics.
  bool live_norm() const { return node().norm && pass.training && !pass.freeze_norms; }
  /// The layer's function hands back activations, requantised together with its norm.
  bool requantises() const { return live_norm() && node().act.quantised(); }
};

/// The accumulators of a node (kFloat: its values), which the executor requantises; activations
/// where op.requantises().
using TrainFn = at::Tensor (*)(const OpContext& op, const std::vector<at::Tensor>& in);

// src/ops/<folder>/train.cc defines one for every row of the registry.
#define NBQ_OP(Kind, folder, name) \
  at::Tensor train_##folder(const OpContext& op, const std::vector<at::Tensor>& in);
#include "ops.def"

TrainFn op_train(OpKind kind);

// Shared by the rows.

/// The operand in the type that the pass computes in (unchanged unless the pass is exact).
at::Tensor operand(const OpContext& op, const at::Tensor& x);
/// The operand as float32, or as float64 where an exact pass asks for it: for sums that bfloat16
/// would round.
at::Tensor wide_operand(const OpContext& op, const at::Tensor& x);
/// The weight of this pass: float, W~, or decoded codes; W times gamma / sigma where the layer has
/// a norm.
at::Tensor pass_weight(const OpContext& op);
/// The bias of this pass, on the accumulator's grid unless the graph is float; undefined: none, or
/// left to live_norm().
at::Tensor pass_bias(const OpContext& op);
/// What comes of a convolution or linear layer's z = pass_weight * x + pass_bias: z itself, or its
/// batch norm where that is live, requantised if the node's output is. z is gamma / sigma times the
/// layer's own output, and its statistics are kept for that. z  [N, C, ...]
at::Tensor normed(const OpContext& op, const at::Tensor& z);
/// Type of requantised activations: what the convolutions of this pass read, if it holds them
/// exactly.
at::ScalarType act_type(const ActFormat& format);
/// conv2d without bias in float32 or float64 as a product of matrices: sums of integers stay exact,
/// which a GPU library's own choice of algorithm (Winograd, TF32) would not promise.
at::Tensor unfolded_conv2d(const at::Tensor& x, const at::Tensor& weight, const Window& window,
                           int groups);
/// Pads rows and columns with `value`.
at::Tensor pad_map(const at::Tensor& x, const Window& w, double value);
/// Sum over each window; zeros pad.
at::Tensor window_sum(const at::Tensor& x, const Window& w);
/// What a sum of `count` values is multiplied by for their mean: 1/count, or in a quantised graph
/// the value of po2_reciprocal(count).
double mean_factor(const OpContext& op, int count);

// weight_function.cc

/// With U = scale W: U~ = (1 - blend) U + blend Q(U), exactly Q(U) at blend = 1; the gradient of U
/// is `slope` times that of U~. Q is a row of quantizers.def at locked exponents. weight [channels,
/// ...] float32, contiguous.  scale  [channels], a constant to the gradient; undefined: 1.  exps
/// [channels] int32.
at::Tensor learnt_weight(const at::Tensor& weight, const at::Tensor& scale,
                         const std::string& quantizer, int bits, const at::Tensor& exps,
                         double blend, double slope);
/// Each bias rounded half up to a multiple of 2^exps[c] (one exponent: of all); the gradient passes
/// straight through.
at::Tensor rounded_bias(const at::Tensor& bias, const at::Tensor& exps);

// requant_function.cc

/// clamp(floor(acc 2^-exp + 1/2), lo, hi) 2^exp. The gradient passes where acc 2^-exp is in
/// [lo - 1/2, hi + 1/2), elsewhere it is 0.
/// acc  float32, bfloat16 or float64.  Result  `out`, float32 or bfloat16; the format must fit it.
at::Tensor requantise(const at::Tensor& acc, const ActFormat& format, at::ScalarType out);

}  // namespace nbq
