#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/quantizer.h"

namespace nbq {
namespace {

double squared_error(Po2Format f, std::span<const float> w, int s) {
  double sum = 0;
  const double scale = std::ldexp(1.0, s);
  for (const float v : w) {
    const double d = v - nearest_code(f, v, s).value(f) * scale;
    sum += d * d;
  }
  return sum;
}

/// The s in a window around max|w| with the least squared error; the finest one among equals.
int best_exp(Po2Format f, std::span<const float> w) {
  float m = 0;
  for (const float v : w) m = std::max(m, std::fabs(v));
  if (m == 0) return 0;
  const int top = std::ilogb(m) - (f.max_k() - 1);
  int best = top;
  double least = std::numeric_limits<double>::infinity();
  // Above top+1 every weight is below half a level; far below top the large ones saturate.
  for (int s = top - 4; s <= top + 1 + (f.max_k() == 1 ? 1 : 0); ++s)
    if (const double e = squared_error(f, w, s); e < least) {
      least = e;
      best = s;
    }
  return best;
}

}  // namespace

/// Nearest in value, at the power-of-two scale of the least squared error.
Result<std::vector<int>> fit_least_squares(Po2Format f, ScaleGranularity g, const WeightView& w) {
  NBQ_TRY(check_finite(w.data));
  std::vector<int> exps(w.channels);
  if (g == ScaleGranularity::kPerLayer) {
    std::fill(exps.begin(), exps.end(), best_exp(f, w.data));
  } else {
    for (std::size_t c = 0; c < w.channels; ++c) exps[c] = best_exp(f, w.channel(c));
  }
  return exps;
}

void encode_least_squares(Po2Format f, const WeightView& w, std::span<const int> exps,
                          std::span<Po2Code> codes) {
  encode_nearest(f, w, exps, codes);
}

}  // namespace nbq
