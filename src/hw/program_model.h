#pragma once
#include <memory>

#include "hw/device.h"

namespace nbq::hw {

/// The engine's behaviour instruction by instruction, without time: same registers, same integers
/// as the RTL. It checks the compiler without a simulator and the simulator against the
/// specification. Its `cycles` and the other counters count the taps it took, not clock cycles.
std::unique_ptr<Device> make_program_model(const EngineConfig& config);

}  // namespace nbq::hw
