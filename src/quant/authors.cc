#include <algorithm>
#include <cmath>

#include "quant/quantizer.h"

namespace nbq {

/// The paper's 3-bit quantizer: levels 0, 1/4, 1/2, 1 at thresholds 0.02 m, 0.07 m, 0.14 m of the
/// layer's m = max|W|, W clipped to [-1, 1] (arXiv:2004.02396). The scale is 1 for every layer, so
/// the granularity has no effect. Errors kInvalidArgument: not 3 bits.
Result<std::vector<int>> fit_authors(Po2Format f, ScaleGranularity, const WeightView& w) {
  if (f.bits != 3)
    return make_error(ErrorCode::kInvalidArgument,
                      "quantizer authors: its thresholds are defined for 3 bits, not {}", f.bits);
  NBQ_TRY(check_finite(w.data));
  return std::vector<int>(w.channels, -2);
}

void encode_authors(Po2Format f, const WeightView& w, std::span<const int>,
                    std::span<Po2Code> codes) {
  float m = 0;
  for (const float v : w.data) m = std::max(m, std::min(std::fabs(v), 1.0f));
  const float thresholds[] = {0.02f * m, 0.07f * m, 0.14f * m};
  for (std::size_t i = 0; i < w.data.size(); ++i) {
    const float a = std::min(std::fabs(w.data[i]), 1.0f);
    int k = 0;
    for (const float t : thresholds) k += a >= t && a > 0 ? 1 : 0;
    codes[i] = Po2Code::make(f, std::signbit(w.data[i]), k);
  }
}

}  // namespace nbq
