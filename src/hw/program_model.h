#pragma once
#include <memory>

#include "hw/device.h"

namespace nbq::hw {

/// The engine instruction by instruction: same registers, integers and cycle counts as the RTL,
/// thousands of times faster. It checks the compiler without a simulator and the simulator against
/// the specification. The counters of a program that ends in an error go up to its last whole
/// instruction; there is no watchdog, as nothing can hang.
std::unique_ptr<Device> make_program_model(const EngineConfig& config);

}  // namespace nbq::hw
