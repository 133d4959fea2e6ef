#pragma once
#include "hw/timing.h"

namespace nbq::hw {

/// Fraction of the layer's lane-cycles with a useful product (macs: of one image): what is left
/// after idle cycles, lanes without a channel, a column or an image pixel, and products that only
/// move data.
double lanes_used(const EngineConfig& config, std::int64_t macs, const CycleCounts& cycles);
/// Fraction of the cycles in which the array took a tap.
double array_busy(const CycleCounts& cycles);

/// A row a layer and one for all: cycles, those of them without a tap by cause, the array's busy
/// fraction, the lanes' useful fraction. For a terminal.
std::string layer_table(const Program& program, const Timing& timing);

}  // namespace nbq::hw
