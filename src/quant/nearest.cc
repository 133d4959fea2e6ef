#include <algorithm>
#include <cmath>

#include "quant/quantizer.h"

namespace nbq {
namespace {

/// s such that the largest level 2^(s+K-1) is the power of two nearest to max|w|.
int top_level_exp(Po2Format f, std::span<const float> w) {
  float m = 0;
  for (const float v : w) m = std::max(m, std::fabs(v));
  if (m == 0) return 0;
  int e = 0;
  const float mantissa = std::frexp(m, &e);
  return (mantissa >= 0.75f ? e : e - 1) - (f.max_k() - 1);
}

}  // namespace

/// Nearest power of two in value, the largest level at max|w| of the layer or channel.
/// Source: midpoint rule of INQ, arXiv:1702.03044.
Result<std::vector<int>> fit_nearest(Po2Format f, ScaleGranularity g, const WeightView& w) {
  NBQ_TRY(check_finite(w.data));
  std::vector<int> exps(w.channels);
  for (std::size_t c = 0; c < w.channels; ++c)
    exps[c] = top_level_exp(f, g == ScaleGranularity::kPerLayer ? w.data : w.channel(c));
  return exps;
}

}  // namespace nbq
