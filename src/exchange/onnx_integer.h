#pragma once
#include "exchange/onnx_state.h"

// Private to src/exchange.
namespace nbq::exchange {

/// An imported network with quantizers as an integer network of the same values: markers go into
/// the layers before them, weights become codes. What is only almost the same (rounding of halves,
/// averages) is noted. Errors kUnsupported, naming the layer: activations that are not rounded,
/// weights that are no powers of two, and whatever else would not be exact.
Result<Graph> make_integer(ImportState& state);

}  // namespace nbq::exchange
