#pragma once
#include <memory>

#include "core/result.h"
#include "hw/device.h"
#include "hw/engine_config.h"

namespace nbq::hw {

/// Sees what enters the array, cycle by cycle while a program runs (rtl/sim/nbq_array_probe.sv).
class ArrayProbe {
 public:
  virtual ~ArrayProbe() = default;
  /// x: P * C operands of act_bits + 1 bits, w: M * C weights, each packed low first, in the order
  /// of rtl/nbq_array.sv's ports. valid: a tap; last: it ends a sum.
  virtual void tap(bool valid, bool last, const std::uint32_t* x, const std::uint32_t* w) = 0;
};

/// The engine's RTL in Verilator, for exactly this configuration: built on demand (seconds to a
/// minute) and kept in a cache, see rtl_build.h. Any number of devices may be open at once; one
/// device is for one thread at a time.
/// Errors: kInvalidArgument (the configuration), kToolMissing (verilator, g++, make),
/// kBadFile (the RTL can't be read or built; end of the log).
/// With `probe`, which must outlive the device, a model is built that calls it.
Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config, ArrayProbe* probe = nullptr);

}  // namespace nbq::hw
