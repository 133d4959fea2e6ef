#pragma once
#include <cstdint>

#include "model/quantise.h"

namespace nbq {

/// A structure (float, shapes set, no parameters) with random parameters, quantised and deployed by
/// the usual way: weights as He et al. 2015 initialise them, batch norms that fit what reaches
/// them. The activations' formats come from samples that are drawn layer by layer from
/// distributions, not from images, so that a large network takes seconds. Its activations fill
/// their formats as a trained network's do: for measuring time, which does not depend on what the
/// numbers mean. Errors: as quantise() and deploy().
Result<Graph> random_network(Graph structure, const QuantSpec& spec, std::uint32_t seed);

}  // namespace nbq
