#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "hw/synth.h"

namespace nbq::hw {

/// How a host reaches the engine on a board.
enum class LinkKind {
  kUart,  ///< a serial line: program, weights and activations all lie on the chip
  kAxi,   ///< AXI4-Lite registers and an AXI4 master: weights may stream from external memory
};

/// What boards/<name>.toml says. One file and its constraints make a board: docs/boards.md.
struct Board {
  std::string name;
  SynthTarget family = SynthTarget::kEcp5;
  std::string device;   ///< the maker's part number
  Resources resources;  ///< of the whole device: lut, ff, dsp, bram
  double use = 0.7;     ///< fraction of each that an engine may fill
  int broadcast = 0;    ///< EngineConfig::broadcast of its engines, if nobody says otherwise
  int wide_digits = 1;  ///< EngineConfig::act_digits of activations of more than 8 bits
  double input_mhz = 0, engine_mhz = 0;
  LinkKind link = LinkKind::kUart;
  int baud = 0;                             ///< kUart: bits a second, 8N1
  int axi_bits = 0;                         ///< kAxi: data width, a power of two in 32..512
  std::string tool;                         ///< places and routes: nextpnr-ecp5 or vivado
  std::string top;                          ///< module of rtl/ or rtl/boards/
  std::filesystem::path constraints;        ///< pins, or the tool's script
  std::vector<std::string> flow_arguments;  ///< device, package, speed for the tool
  bool led_active_low = false;

  bool weights_stay_on_chip() const { return link == LinkKind::kUart; }
  /// What an engine may take.
  Resources budget() const;
};

/// Strict: every key must be known, every needed one there. `file` names errors and is where the
/// constraints are looked for. Error kBadFile: file, line and key.
Result<Board> parse_board(std::string_view text, const std::filesystem::path& file);

/// Folder of the boards: $NBQ_BOARDS_DIR, else the one of data_dir().
std::filesystem::path boards_dir();
/// Names of all boards there, sorted.
std::vector<std::string> board_names();
/// A board by name, or by the path of a .toml file of one's own.
/// Errors: kInvalidArgument (no such board: lists them), kBadFile (the file).
Result<Board> find_board(const std::string& name);

}  // namespace nbq::hw
