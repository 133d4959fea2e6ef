#pragma once
#include <functional>
#include <optional>

#include "hw/choose.h"

namespace nbq::hw {

/// One run of place and route.
struct SeedResult {
  int seed = 0;
  std::optional<double> fmax_mhz;  ///< none: it could not be placed or routed
  std::string reason;              ///< then the log's last error, or that the router was stopped
};

/// A file that a tool wrote, with a hash of its bytes (FNV-1a): which run a figure comes from.
struct KeptLog {
  std::filesystem::path path;
  std::string hash;
};

struct BoardBuild {
  std::filesystem::path dir;        ///< where everything lies
  Resources resources;              ///< of the whole top, as yosys counts
  std::vector<SeedResult> seeds;    ///< empty: not routed
  std::optional<double> fmax_mhz;   ///< median of the seeds that routed
  double clock_mhz = 0;             ///< what the bitstream's PLL makes
  std::filesystem::path bitstream;  ///< of the fastest seed; empty: not routed
  std::vector<KeptLog> logs;

  /// The bitstream's seed reaches its clock.
  bool meets_clock() const;
};

struct BuildOptions {
  /// The build gets a folder in here, named by board, element and a hash of all that goes in: what
  /// it holds already is not run again.
  std::filesystem::path dir;
  bool route = true;
  int seeds = 3, first_seed = 1;
  /// Gets a short line now and then on what goes on; may be empty.
  std::function<void(const std::string&)> progress;
};

/// From a planned network to a bitstream, with the tools of find_fpga_tool(): yosys, and for ECP5
/// boards nextpnr-ecp5 with `seeds` seeds and ecppack. Boards whose tool is Vivado are only
/// counted. Errors: kToolMissing, kBadFile (a tool failed: end of its log), kUnsupported (no seed
/// could be placed and routed).
Result<BoardBuild> build_for_board(const BoardPlan& plan, const Board& board,
                                   const BuildOptions& options);

}  // namespace nbq::hw
