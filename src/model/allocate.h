#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace nbq {

/// One width that a layer could have: what it does to the loss, and what it costs (bits of codes,
/// cycles: any whole number from 0 on, of one unit for all layers).
struct BitsOption {
  int bits = 0;
  double loss_rise = 0;  ///< finite; may be below 0
  std::int64_t cost = 0;
};

struct LayerOptions {
  std::string layer;
  std::vector<BitsOption> options;
};

/// Index of one option for each layer: the least sum of loss rises whose costs together are at most
/// `budget`; among such the cheapest. Exact, on the assumption that layers' rises add up.
/// A choice for each of many layers under one bound is the multiple-choice knapsack: dynamic
/// programming over undominated (cost, rise) pairs, cut by the Lagrangian's lower bound
/// (Kellerer, Pferschy, Pisinger, "Knapsack Problems", 2004, chapter 11).
/// Errors kInvalidArgument: a layer without options, a rise that is not finite, a cost below 0
/// (name the layer), a budget that not even the cheapest options keep.
Result<std::vector<std::size_t>> allocate_bits(std::span<const LayerOptions> layers,
                                               std::int64_t budget);

}  // namespace nbq
