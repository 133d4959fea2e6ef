#pragma once
#include <memory>

#include "core/result.h"
#include "hw/device.h"
#include "hw/engine_config.h"

namespace nbq::hw {

/// The engine's RTL in Verilator, for exactly this configuration: built on demand (seconds to a
/// minute) and kept in a cache, see rtl_build.h. Any number of devices may be open at once; one
/// device is for one thread at a time.
/// Errors: kInvalidArgument (the configuration), kToolMissing (verilator, g++, make),
/// kBadFile (the RTL can't be read or built; end of the log).
Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config);

}  // namespace nbq::hw
