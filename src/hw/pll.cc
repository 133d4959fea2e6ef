#include "hw/pll.h"

#include <cmath>

namespace nbq::hw {

Result<Ecp5Pll> ecp5_pll(double in_mhz, double out_mhz) {
  constexpr double kVcoLow = 400, kVcoHigh = 800, kPhaseLow = 10;
  constexpr int kMostDivider = 128;
  Ecp5Pll best;
  double best_vco_error = 0;
  for (int refclk = 1; refclk <= kMostDivider && in_mhz / refclk >= kPhaseLow; ++refclk) {
    const int feedback = static_cast<int>(std::floor(out_mhz / (in_mhz / refclk) + 1e-9));
    if (feedback < 1 || feedback > kMostDivider) continue;
    const double mhz = in_mhz / refclk * feedback;
    const int output = static_cast<int>((kVcoLow + kVcoHigh) / 2 / mhz + 0.5);
    const double vco = mhz * output;
    if (output < 1 || output > kMostDivider || vco < kVcoLow || vco > kVcoHigh) continue;
    const double vco_error = std::abs(vco - (kVcoLow + kVcoHigh) / 2);
    if (mhz > best.mhz + 1e-9 || (mhz > best.mhz - 1e-9 && vco_error < best_vco_error)) {
      best = {refclk, feedback, output, mhz};
      best_vco_error = vco_error;
    }
  }
  if (best.mhz < 0.9 * out_mhz)
    return make_error(ErrorCode::kInvalidArgument,
                      "no PLL setting makes {} MHz of {} MHz (nearest below: {:.2f})", out_mhz,
                      in_mhz, best.mhz);
  return best;
}

}  // namespace nbq::hw
