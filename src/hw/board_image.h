#pragma once
#include <filesystem>

#include "hw/choose.h"

namespace nbq::hw {

/// Writes what a board's build and its host need of a planned network into folder `dir`:
///   config.json        engine, resources, layers: BoardPlan for people and programs
///   nbq_config.svh     parameters of the board's top (rtl/boards), as macros
///   program.bin, weights.bin, params.bin   memory contents as they are streamed: 32-bit words, low
///                      byte first
///   program_*.hex ...  those for $readmemh, a file for each array of rtl/nbq_ram_piece.sv, for
///                      boards that keep the weights on the chip
///   stream.bin         weights that external memory holds, where they do not fit the chip
/// Errors: kInvalidArgument (no PLL setting; the engine's parameters), kIo.
Status write_board_image(const BoardPlan& plan, const Board& board,
                         const std::filesystem::path& dir);

}  // namespace nbq::hw
