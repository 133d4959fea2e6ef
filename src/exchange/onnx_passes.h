#pragma once
#include "model/graph.h"

// Private to src/exchange: what brings an imported graph into the form that our own networks have.
// Shapes must be set; nodes that nothing reads any more are left for keep_ancestors().
namespace nbq::exchange {

/// A slice of a slice that nothing else reads becomes one slice.
void merge_slices(Graph& graph);
/// Rows and columns of zeros become padding of the convolution or pooling behind them, where
/// nothing else reads them (of maximum pooling only after a relu: zeros may win there, too).
void merge_pads(Graph& graph);
/// Drops every node that `output` does not depend on, and makes `output` the last.
void keep_ancestors(Graph& graph, int output);

}  // namespace nbq::exchange
