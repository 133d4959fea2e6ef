#pragma once
#include "model/graph.h"

namespace nbq {

/// Gives a float graph its parameters: convolution and linear weights Kaiming normal (He et al.
/// 2015, fan-out for convolutions, fan-in for linear layers), biases 0, batch norm the identity
/// with mean 0 and variance 1. The same seed gives the same weights. Errors as describe().
Status initialise(Graph& graph, std::uint64_t seed);

}  // namespace nbq
