#pragma once
#include "model/graph.h"

namespace nbq {

/// fold() in two steps. The first: the input normalisation is folded, every convolution and linear
/// layer has a bias, and batch norms are taken up by the layer before them (Node::norm), where they
/// can still learn. Errors as fold().
Result<Graph> absorb_norms(const Graph& graph);
/// The second: a layer's norm goes into its weight and bias, W * gamma / sigma.
void fold_norm(Node& node);
Graph fold_norms(Graph graph);

/// A float graph that computes the same as `graph` in evaluation mode, in the form that deployment
/// needs:
/// - the input normalisation is folded into the first convolution or linear layer that reads the
/// image
///   (at zero-padded borders the result differs slightly: padding becomes the integer 0, a mid-grey
///   pixel; fine-tuning takes that up);
/// - a batch norm whose operand is a convolution or linear layer that nothing else reads is folded
/// into
///   its weight and bias, W * gamma / sigma; any other becomes weight = gamma / sigma, bias =
///   beta - mean * gamma / sigma with mean 0 and variance 1, and where only convolution and linear
///   layers read it (through relus and pools), weight is +-2^s and they take the rest: nothing is
///   lost when it is deployed;
/// - every convolution and linear layer has a bias.
/// Requires stage kFloat, shapes set, all state present (check_state). Errors kUnsupported: an
/// input normalisation that several layers of other kinds read.
Result<Graph> fold(const Graph& graph);

/// Every parameter that describe() names is there, has its dims and is finite; there are no others.
/// Errors kBadFile naming layer and parameter.
Status check_state(const Graph& graph);

/// Removes node `id`, which has one input: its readers read that input instead.
void bypass(Graph& graph, int id);

}  // namespace nbq
