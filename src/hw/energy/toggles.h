#pragma once
#include "hw/energy/slice.h"
#include "hw/energy/stimulus.h"
#include "hw/synth.h"

namespace nbq::hw {

/// What toggles in one kind of array on an FPGA, counted on a slice of it.
struct ToggleResult {
  SliceRequest slice;
  int luts = 0, flip_flops = 0, dsps = 0;  ///< of the slice, as yosys maps it
  Activity activity;                       ///< as FpgaNetlist::counters() has it
  std::int64_t sums_checked = 0;
  double error = 0;  ///< standard error of toggles over the windows, as a fraction of them

  int lanes() const { return slice.config.lanes_in * slice.outputs; }
  /// Of the slice and one cycle: nets on the fabric that toggle, and the pins that these reach.
  double toggles() const;
  double pins() const;
};

/// Maps the slice onto the family's cells with yosys, elements in the family's shape, and simulates
/// it over the stimulus on `threads` threads (0: one a core). What happens inside a DSP block is
/// not seen. Errors: kToolMissing (yosys), kBadFile (it failed; a cell that has no model here),
/// kInvalidArgument: the netlist gives other sums than the weights and activations.
Result<ToggleResult> measure_toggles(SliceRequest request, SynthTarget target,
                                     const Stimulus& stimulus, int threads);

}  // namespace nbq::hw
