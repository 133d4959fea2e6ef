#pragma once
#include <memory>

#include "core/result.h"
#include "hw/device.h"
#include "hw/engine_config.h"

namespace nbq::hw {

/// How a simulated external memory behaves; rtl/sim/axi_memory.h has the same.
struct AxiMemoryOptions {
  std::uint32_t latency = 0;        ///< cycles from an address to its first beat
  std::uint32_t stall_percent = 0;  ///< of the cycles, for each valid and ready by itself
  std::uint32_t seed = 1;
  std::uint64_t error_begin = 0, error_end = 0;  ///< bytes that are answered by SLVERR
  std::uint32_t dead = 0;                        ///< 1: it never answers
};

/// The engine's RTL in Verilator, for exactly this configuration: built on demand (seconds to a
/// minute) and kept in a cache, see rtl_build.h. Any number of devices may be open at once; one
/// device is for one thread at a time.
/// Errors: kInvalidArgument (the configuration), kToolMissing (verilator, g++, make),
/// kBadFile (the RTL can't be read or built; end of the log).
Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config);

}  // namespace nbq::hw
