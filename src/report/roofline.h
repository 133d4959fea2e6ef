#pragma once
#include <vector>

#include "report/curves.h"
#include "report/inputs.h"

namespace nbq::report {

/// Each layer's speed under the two roofs of what computes it (Williams, Waterman, Patterson 2009):
/// how fast operands arrive, how fast it can compute. Axes are logarithmic.
/// One figure for the accelerator, one for the CPU engine; none for what was not measured.
std::vector<Figure> roofline_figures(const Inputs& in);

}  // namespace nbq::report
