#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "model/quantise.h"

namespace nbq::hw {

/// Channels [first, last) of an operand.
struct ChannelRange {
  int first = 0, last = 0;
  bool empty() const { return first >= last; }
};

/// One sweep of the array over an output map: what one operand adds to it.
/// Everything but maximum pooling is a convolution to the array: pooling by average, batch norm,
/// copies and additions have diagonal weights.
struct Pass {
  int operand = 0;  ///< index into the node's inputs
  Window window;
  int terms = 1;  ///< sweeps over the window, each with its own weights
  /// Integer weight +-2^(k-1) or 0 of output channel oc, operand channel ic, at tap (ky, kx).
  std::function<std::int32_t(int term, int oc, int ic, int ky, int kx)> weight;
  /// Operand channels that outputs [first, last) need; empty: this pass leaves them alone.
  std::function<ChannelRange(int first, int last)> range;
  /// Nobody asks for the weights (ProgramSketch).
  bool sketched = false;
};

/// How one layer runs on the array: the result of an op's emit function.
struct ArrayJob {
  enum class Kind {
    kAlias,    ///< nothing to do: the operand's memory, read with this shape
    kConv,     ///< weighted sums
    kMaxPool,  ///< maxima over the pass's window
  };
  Kind kind = Kind::kConv;
  std::vector<Pass> passes;
  int residual = -1;  ///< index of the operand to add after the first requantisation, or -1
};

/// What an emit function sees.
struct EmitContext {
  const Graph& graph;
  int id;
  int max_level_log2;  ///< largest weight the engine has is 2^this
  const Node& node() const { return graph.nodes[static_cast<std::size_t>(id)]; }
  const Node& operand(std::size_t i) const {
    return graph.nodes[static_cast<std::size_t>(node().inputs[i])];
  }
};

using EmitFn = Result<ArrayJob> (*)(const EmitContext&);
// src/ops/<folder>/emit.cc defines one for every row of the registry.
#define NBQ_OP(Kind, folder, name) Result<ArrayJob> emit_##folder(const EmitContext&);
#include "ops.def"
EmitFn op_emit(OpKind kind);

/// A flatten that is no more than another shape for its operand's memory: every reader is a linear
/// layer (which reads the map where it lies), or the map is a single pixel.
bool flatten_in_place(const Graph& graph, int id);

/// A pass whose output channel c reads only operand channel c - offset, with weight 1.
Pass copy_pass(int operand, int offset, int channels);
/// `inner`, of `channels` output channels, behind `before` channels of zeros; zeros follow, too.
Pass pad_channels(const Pass& inner, int before, int channels);
/// Sums over a window times the reciprocal of its size (avg_pool, global_avg_pool).
/// Larger powers of two than the engine's levels are repeated terms.
Pass average_pass(const Window& window, int channels, int max_level_log2);

}  // namespace nbq::hw
