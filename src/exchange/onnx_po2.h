#pragma once
#include <span>
#include <string>

#include "model/graph.h"

// Private to src/exchange: float weights that are powers of two already, as codes.
namespace nbq::exchange {

/// A layer's parameters in real units.
struct RealWeights {
  std::string where;  ///< what errors begin with
  int channels = 0;
  std::span<const float> weights;  ///< channel after channel
  std::vector<double> bias;        ///< one a channel, or none
  int in_exp = 0;                  ///< the operand's exponent
  bool logits = false;             ///< one scale exponent for all channels
  int out_exp = 0;                 ///< the output's exponent, unless they are logits
};

/// The codes of the fewest bits that hold all weights and biases exactly. Errors kUnsupported,
/// naming the first weight or channel that none holds.
Result<Po2Weights> exact_codes(const RealWeights& real);

}  // namespace nbq::exchange
