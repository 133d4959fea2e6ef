#include "hw/board_device.h"

#include "hw/serial.h"
#include "hw/uio.h"

namespace nbq::hw {

Result<std::unique_ptr<Device>> open_board(const Board& board, const std::string& path,
                                           double clock_mhz) {
  if (board.link == LinkKind::kUart) {
    NBQ_ASSIGN(std::unique_ptr<ByteLink> line, open_tty(path, board.baud));
    return open_serial(std::move(line), clock_mhz);
  }
  const std::size_t comma = path.find(',');
  if (comma == std::string::npos)
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: board {} wants two devices, as in /dev/uio0,/dev/udmabuf0", path,
                      board.name);
  return open_uio(path.substr(0, comma), path.substr(comma + 1), clock_mhz);
}

}  // namespace nbq::hw
