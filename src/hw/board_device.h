#pragma once
#include <memory>
#include <string>

#include "core/result.h"
#include "hw/board.h"
#include "hw/device.h"

namespace nbq::hw {

/// The engine on a board that is plugged in: `path` is its serial device ("/dev/ttyUSB0") on boards
/// with a serial line; on those with an AXI bus its UIO and its u-dma-buf device
/// ("/dev/uio0,/dev/udmabuf0"). Errors: kInvalidArgument (one path where two belong), kIo.
Result<std::unique_ptr<Device>> open_board(const Board& board, const std::string& path,
                                           double clock_mhz);

}  // namespace nbq::hw
