#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "hw/device.h"

namespace nbq::hw {

/// A line of bytes that may lose or damage some.
class ByteLink {
 public:
  virtual ~ByteLink() = default;
  virtual Status write(std::span<const std::uint8_t> bytes) = 0;
  /// Some bytes, 1..max; none when nothing came within `patience`. Error kIo: the line is gone.
  virtual Result<std::vector<std::uint8_t>> read(std::size_t max,
                                                 std::chrono::milliseconds patience) = 0;
};

/// A serial device, raw, 8N1. Errors kIo: it can't be opened (names it), or this system has no such
/// speed (names it).
Result<std::unique_ptr<ByteLink>> open_tty(const std::string& path, int baud);

/// CRC-16/CCITT-FALSE: polynomial 0x1021 from 0xFFFF, high bit first.
std::uint16_t crc16(std::span<const std::uint8_t> bytes);

/// An engine behind rtl/boards/nbq_serial_host.sv, whose comment has the frames. Writes to one
/// register travel together. Frames that are damaged or unanswered are sent again; after
/// kSerialTries the device has failed: Device::health() says why, and reads give 0.
/// `clock_mhz` turns the time that passed into clock().
/// Error kIo: nobody answers.
inline constexpr int kSerialTries = 5;
Result<std::unique_ptr<Device>> open_serial(std::unique_ptr<ByteLink> link, double clock_mhz);

}  // namespace nbq::hw
