#include <bit>

#include "hw/engine_config.h"

namespace nbq::hw {
namespace {

/// Levels of ternary adders that leave at most two of n values.
int ternary_levels(int n) {
  int levels = 0;
  for (; n > 2; n = n / 3 + n % 3) ++levels;
  return levels;
}

int log2_up(int n) { return std::bit_width(static_cast<unsigned>(n) - 1); }

}  // namespace

int element_latency(const EngineConfig& c) {
  const bool shift = c.pe == PeKind::kSvpe;
  const bool shaped = c.code_bits == 3;  // only 3-bit codes have products of their own
  const int lanes = c.lanes_in;
  if (c.target == ElementTarget::kXcup) {
    if (shift && shaped && lanes > 2) return 4 + ternary_levels(lanes / 4);
    if (shift) return 2 + ternary_levels(lanes);
    if (c.pe == PeKind::kVpe) return lanes + 2;
    return lanes < 4 ? 3 + lanes : 7 + ternary_levels(lanes / 4);
  }
  if (c.target == ElementTarget::kEcp5 && (!shift || shaped))
    return (shift && lanes < 8 ? 2 : 3) + log2_up(lanes);
  const bool product_register = !shift || c.target != ElementTarget::kGeneric || lanes <= 4;
  return (product_register ? 1 : 0) + (log2_up(lanes) + 1) / 2;
}

}  // namespace nbq::hw
