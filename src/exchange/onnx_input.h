#pragma once
#include <vector>

#include "exchange/onnx_state.h"

namespace onnx {
class GraphProto;
}

// Private to src/exchange.
namespace nbq::exchange {

/// Makes node 0 of the graph from the one ONNX input that is no initializer. Sizes that the model
/// leaves open come from the options. Channels are its second dimension, or the last where every
/// reader turns it (as exports from Keras begin). Errors kUnsupported: several inputs, another
/// number of dimensions; kInvalidArgument: options that don't fit.
Status read_input(ImportState& state, const onnx::GraphProto& graph,
                  const std::vector<const onnx::NodeProto*>& nodes);

}  // namespace nbq::exchange
