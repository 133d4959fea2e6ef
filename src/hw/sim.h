#pragma once
#include <memory>
#include <string_view>

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

/// Sees what enters the array, cycle by cycle while a program runs (rtl/sim/nbq_array_probe.sv).
class ArrayProbe {
 public:
  virtual ~ArrayProbe() = default;
  /// x: P * C operands of operand_bits() bits, w: M * C weights, each packed low first, in the
  /// order of rtl/nbq_array.sv's ports. valid: a tap; last: it ends a sum.
  virtual void tap(bool valid, bool last, const std::uint32_t* x, const std::uint32_t* w) = 0;
};

/// Sees the signals where an engine meets its memories, its arrays and the host, in every cycle
/// (rtl/sim/nbq_signal_probe.sv): their values before the clock edge, in any order.
class SignalProbe {
 public:
  virtual ~SignalProbe() = default;
  /// Once for each, before the first value. path: as in
  /// "nbq_engine.u_program.u_piece.u_probe.p_re_i".
  virtual void open(int id, std::string_view path, int width) = 0;
  virtual void value(int id, const std::uint32_t* bits) = 0;
};

/// The widest of them (rtl/sim/nbq_signal_probe.sv).
inline constexpr int kMostSignalBits = 16384;

/// The engine's RTL in Verilator, for exactly this configuration: built on demand (seconds to a
/// minute) and kept in a cache, see rtl_build.h; with config.axi_bits, external memory behaves as
/// `memory` says. Any number of devices may be open at once; one
/// device is for one thread at a time.
/// Errors: kInvalidArgument (the configuration), kToolMissing (verilator, g++, make),
/// kBadFile (the RTL can't be read or built; end of the log).
/// With `probe`, which must outlive the device, a model is built that calls it; only without a bus.
Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config, ArrayProbe* probe = nullptr);
Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config, SignalProbe& probe);
Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config,
                                         const AxiMemoryOptions& memory);

/// An engine with an AXI bus (config.axi_bits > 0): nbq_axi_top with its memory.
class AxiSimDevice : public Device {
 public:
  virtual void configure(const AxiMemoryOptions& memory) = 0;
  /// The AXI rule that the engine broke first, or an empty string.
  virtual std::string violation() const = 0;
  /// A raw AXI4-Lite access at a byte address: the response, 0 for OKAY; the data in `value`.
  virtual std::uint32_t access(bool is_write, std::uint32_t address, std::uint32_t strobe,
                               std::uint32_t& value) = 0;
  virtual void reset() = 0;
  virtual bool irq() const = 0;
};
/// Errors as open_sim().
Result<std::unique_ptr<AxiSimDevice>> open_axi_sim(const EngineConfig& config,
                                                   const AxiMemoryOptions& memory = {});

}  // namespace nbq::hw
