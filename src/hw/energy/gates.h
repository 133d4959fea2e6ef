#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "hw/energy/netlist.h"
#include "hw/rtl_build.h"

namespace nbq::hw {

/// RTL to be mapped onto a library's cells. Its clock is port clk_i.
struct GateRequest {
  std::string top;
  RtlParameters parameters;
  std::vector<std::filesystem::path> sources;
  std::string prepare;  ///< yosys commands, a line each, before anything is synthesised
  double clock_mhz = 50;
};

struct Gates {
  Netlist netlist;
  std::string verilog;  ///< the same netlist, for other tools
};

/// Maps it with yosys and ABC for the given clock; multipliers become Baugh-Wooley arrays of full
/// adders (rtl/techmap). Kept in the cache of rtl_build.h.
/// Errors: kToolMissing (yosys), kBadFile (it failed; end of its log; a cell the library lacks).
Result<Gates> map_gates(const GateRequest& request, const CellLibrary& library);

}  // namespace nbq::hw
