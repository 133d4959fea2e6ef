#pragma once
#include <string>

#include "hw/energy/gate_sim.h"
#include "hw/energy/gates.h"
#include "hw/engine_config.h"

namespace nbq::hw {

/// What part of an engine's array is mapped, and onto what.
struct SliceRequest {
  EngineConfig config;  ///< element, lanes_in and widths; the rest does not matter
  int outputs = 4;      ///< output channels, up to lanes_in
  double clock_mhz = 50;
};

inline constexpr const char* kSliceTop = "nbq_array_slice";
RtlParameters slice_parameters(const SliceRequest& request);
Result<std::vector<std::filesystem::path>> slice_sources();

/// rtl/sim/nbq_array_slice.sv in gates. Errors: as map_gates().
Result<Gates> map_slice(const SliceRequest& request, const CellLibrary& library);

}  // namespace nbq::hw
