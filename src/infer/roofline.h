#pragma once
#include "infer/kernels/kernel_set.h"

namespace nbq::infer {

/// What one core of this machine does at best, measured: the two roofs under which a layer's time
/// lies (Williams, Waterman, Patterson 2009).
struct Roofline {
  double macs_per_second;   ///< of the widest tile, everything in the first-level cache
  double bytes_per_second;  ///< read from memory, one after another
};

/// Takes about a fifth of a second. `wide`: of 16-bit activations.
Roofline measure_roofline(const KernelSet& kernels, bool wide);

}  // namespace nbq::infer
