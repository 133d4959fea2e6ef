#pragma once
#include <string>

#include "hw/energy/gate_sim.h"
#include "hw/engine_config.h"
#include "hw/rtl_build.h"

namespace nbq::hw {

/// What part of an engine's array is mapped, and onto what.
struct SliceRequest {
  EngineConfig config;  ///< element, lanes_in and widths; the rest does not matter
  int outputs = 4;      ///< output channels, up to lanes_in
  double clock_mhz = 50;
};

/// rtl/sim/nbq_array_slice.sv in gates.
struct Slice {
  Netlist netlist;
  std::string verilog;  ///< the same netlist, for other tools
};

inline constexpr const char* kSliceTop = "nbq_array_slice";
RtlParameters slice_parameters(const SliceRequest& request);
Result<std::vector<std::filesystem::path>> slice_sources();

/// Maps the slice onto the library's cells with yosys and ABC for the given clock; multipliers
/// become Baugh-Wooley arrays of full adders (rtl/techmap). Kept in the cache of rtl_build.h.
/// Errors: kToolMissing (yosys), kBadFile (it failed; end of its log; a cell the library lacks).
Result<Slice> map_slice(const SliceRequest& request, const CellLibrary& library);

}  // namespace nbq::hw
