#pragma once
#include <span>
#include <string>
#include <vector>

#include "model/graph.h"
#include "quant/quantizer.h"

namespace nbq {

/// What a recipe asks of a network's numbers.
struct QuantSpec {
  int weight_bits = 3;  ///< 1..5
  int act_bits = 8;     ///< 2..16
  std::string quantizer = "least_squares";
  ScaleGranularity granularity = ScaleGranularity::kPerChannel;
  /// Exceptions by layer name; `*` matches any run of characters, the last match wins.
  struct Layer {
    std::string match;
    int weight_bits = 0;  ///< 0: as above
    int act_bits = 0;
  };
  std::vector<Layer> layers;

  int weight_bits_of(const std::string& layer) const;
  int act_bits_of(const std::string& layer) const;
};

/// Checks ranges and the quantizer's name, and that every `match` names a layer of `graph`.
Status check_spec(const QuantSpec& spec, const Graph& graph);

/// A sample of the values of each node of the folded float graph (any number each, the more the
/// better).
using ActSamples = std::vector<std::vector<float>>;

/// kFloat (folded, or with its norms still in the layers: absorb_norms()) -> kQuantised: fits and
/// locks every scale exponent, chooses the activations' formats by least squared error over the
/// samples, fuses each relu into the layer before it where nothing else reads that, and marks the
/// output's accumulators as logits (its scale is then one for the layer).
Result<Graph> quantise(const Graph& folded, const QuantSpec& spec, const ActSamples& samples);

/// The finest exponent of a layer's weights: accumulators finer than 24 bits below the output's
/// unit carry nothing but width. Both formats are quantised.
inline int least_weight_exp(const Node& layer, const Node& operand) {
  return layer.act.exp - operand.act.exp - 24;
}

/// Other bits or another quantizer for the weights of a kQuantised graph: fits and locks the scale
/// exponents anew; the activations' formats stay.
Status refit_weights(Graph& quantised, const QuantSpec& spec);

/// kQuantised -> kInteger: norms folded, codes from the float weights at the locked exponents,
/// integer biases, and the overflow proof. Float state is dropped. Errors kOverflow naming layer
/// and channel, kBadFile.
Result<Graph> deploy(const Graph& quantised);

/// The layers whose accumulators may be a network's logits (spec/numerics.md).
bool gives_logits(OpKind kind);

/// Exponent for `bits` activations with the least squared error over the sample.
int best_act_exp(std::span<const float> sample, int bits, bool is_signed);

/// Bias in units of 2^exp, rounded half up, as deploy() does it.
std::int64_t integer_bias(float bias, int exp);

/// How node `id` of a quantised or integer graph turns accumulators into activations.
struct OutputStage {
  bool raw = false;         ///< logits: no requantisation
  std::vector<int> exps;    ///< accumulator exponents, one or one per channel
  std::vector<int> shifts;  ///< r_c, one or one per channel; empty when raw
  std::int64_t lo = 0, hi = 0;
};
/// Errors kOverflow: a shift outside [-15, 62], naming node and channel.
Result<OutputStage> output_stage(const Graph& graph, int id);

/// The overflow proof: the width in bits of every node's accumulator for any input, in node order.
/// Errors kOverflow beyond 48 bits, naming layer and channel.
Result<std::vector<int>> prove_acc_bits(const Graph& graph);

/// All of verify_integer() but the stored acc_bits; gives the proved ones, for graphs that are made
/// by hand.
Result<std::vector<int>> prove_integer(const Graph& graph);

/// Everything an executor relies on in an integer graph: shapes, formats, codes, exponents, proof,
/// and stored acc_bits equal to the proved ones. Errors name the layer.
Status verify_integer(const Graph& graph);

}  // namespace nbq
