#pragma once
#include "core/result.h"

namespace nbq::hw {

/// Dividers of an ECP5 EHXPLLL with its output CLKOP as feedback:
/// out = in / refclk * feedback, VCO = out * output.
struct Ecp5Pll {
  int refclk = 1, feedback = 1, output = 1;
  double mhz = 0;  ///< what comes out
};

/// The dividers whose output is nearest to `out_mhz` and not above it, within the limits of the
/// ECP5 family data sheet (FPGA-DS-02012: phase detector 10..400 MHz, VCO 400..800 MHz).
/// Error kInvalidArgument: none comes within 10 %.
Result<Ecp5Pll> ecp5_pll(double in_mhz, double out_mhz);

}  // namespace nbq::hw
