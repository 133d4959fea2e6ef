#pragma once
#include "hw/energy/opensta.h"
#include "hw/energy/stimulus.h"

namespace nbq::hw {

/// Energy of one kind of array, measured on a slice of it in gates.
struct EnergyResult {
  SliceRequest slice;
  double area = 0;  ///< of the slice, the library's unit
  std::size_t cells = 0, flip_flops = 0;
  StaResult sta;
  PowerTotals uniform;    ///< nbq's answer to what `sta.power` answers
  Activity activity;      ///< over all windows, counted cycles
  double clock_pj = 0;    ///< of a cycle: flip-flops and their clock pins; without the clock's tree
  double leakage_pj = 0;  ///< of a cycle
  std::int64_t sums_checked = 0;  ///< drain registers that were compared with the recomputed sums
  double error = 0;  ///< standard error of pj_per_cycle() over the windows, as a fraction of it

  int lanes() const { return slice.config.lanes_in * slice.outputs; }
  /// Of the slice and one cycle, pJ; with glitches or from settled to settled values.
  double pj_per_cycle(bool glitches) const;
};

/// Maps the slice and simulates it over the stimulus on `threads` threads (0: one a core). For the
/// VPE the weights are the stimulus's as they are. wire_ff: wire capacitance for each pin driven.
/// Errors: as map_slice() and run_sta(); kInvalidArgument: the gates are too slow for the clock
/// (names the slack), or the netlist gives other sums than the weights and activations.
Result<EnergyResult> measure_energy(const SliceRequest& request, const Stimulus& stimulus,
                                    const CellLibrary& library, double wire_ff, int threads);

}  // namespace nbq::hw
