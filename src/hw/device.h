#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/result.h"
#include "hw/engine_config.h"

namespace nbq::hw {

/// External memory that a device's bus masters see.
struct DeviceMemory {
  std::span<std::uint8_t> bytes;
  std::uint64_t address = 0;  ///< of the first byte, as the masters see it; a multiple of 4096
};

/// The engine's host side as every backend offers it: 32-bit registers of spec/isa.def.
/// Backends: program model (program_model.h), Verilated RTL (sim.h), a board behind a
/// serial line (serial.h) or in the same chip (uio.h).
class Device {
 public:
  virtual ~Device() = default;
  virtual void write(std::uint32_t reg, std::uint32_t value) = 0;
  virtual std::uint32_t read(std::uint32_t reg) = 0;
  /// Lets up to `cycles` clock cycles pass; returns early when the engine is not busy.
  virtual void wait(std::uint64_t cycles) = 0;
  /// Clock cycles since reset, host accesses included.
  virtual std::uint64_t clock() const = 0;
  /// `bytes` bytes at least; what an earlier call returned may become invalid, its content stays.
  /// Error kUnsupported: a device without bus masters, or with less memory.
  virtual Result<DeviceMemory> memory(std::size_t) {
    return make_error(ErrorCode::kUnsupported, "this device has no external memory");
  }
  /// The first error of the way to the engine, if there was one: reads gave 0 since, writes
  /// nothing.
  virtual Status health() const { return ok_status(); }
};

}  // namespace nbq::hw
