#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/graph.h"

namespace nbq {

/// What a method stores for a layer of `bits`-bit weights.
struct MethodFacts {
  int levels = 0;                ///< distinct values that one scale's weights can take; 0: any
  std::int64_t scale_bytes = 0;  ///< of the layer: float32 scales count 4, exponents 1
};

/// A way to learn quantised weights in a float graph: one row of weight_methods.def.
struct MethodRow {
  std::string_view name;
  int min_bits, max_bits, default_bits;
  bool first_last_float;   ///< the paper leaves the first and the last layer in float
  std::string_view paper;  ///< arXiv number
  MethodFacts (*facts)(int bits, std::int64_t channels);

  bool quantises() const { return max_bits < 32; }
};

/// All rows, in the registry's order; "float", the first, quantises nothing.
std::span<const MethodRow> method_rows();
std::vector<std::string> method_names();
/// The row of that name. Error kInvalidArgument lists the names there are.
Result<const MethodRow*> find_method(std::string_view name);

/// Ids of the convolution and linear layers that a method quantises, in graph order: all of them,
/// or all but the first and the last.
std::vector<int> method_layers(const Graph& graph, bool first_last_float);

/// Bytes of all convolution and linear weights with their scales; biases and norms not counted.
/// A float graph's as the method stores them; a quantised or integer graph's by its own codes, with
/// a byte for each exponent. Errors as describe().
struct WeightSize {
  std::int64_t weights = 0, bytes = 0;
};
Result<WeightSize> weight_size(const Graph& graph, const MethodRow& method, int bits,
                               bool first_last_float);

}  // namespace nbq
