#pragma once
#include <vector>

#include "hw/energy/fpga_netlist.h"
#include "hw/energy/slice.h"
#include "hw/energy/stimulus.h"

namespace nbq::hw {

/// A slice in cells, and what its transitions count.
struct SimulatedSlice {
  const SliceRequest& request;
  const Netlist& netlist;
  const std::vector<DspBlock>& dsps;
  const Electrical& electrical;
};

struct WindowResult {
  bool right = false;  ///< every drain register held the sum that its operands have
  Activity activity;
  std::int64_t checked = 0;  ///< drain registers that were compared
};

/// Drives the slice window by window on `threads` threads (0: one a core).
std::vector<WindowResult> run_windows(const SimulatedSlice& slice, const Stimulus& stimulus,
                                      int threads);

/// Standard error of the mean of `v`, as a fraction of the mean.
double relative_error(const std::vector<double>& v);

}  // namespace nbq::hw
