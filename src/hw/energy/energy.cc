#include "hw/energy/energy.h"

#include "hw/energy/slice_bench.h"

namespace nbq::hw {

double EnergyResult::pj_per_cycle(bool glitches) const {
  if (activity.cycles == 0) return 0;
  return (glitches ? activity.all : activity.settled).total() /
             static_cast<double>(activity.cycles) +
         clock_pj + leakage_pj;
}

Result<EnergyResult> measure_energy(const SliceRequest& request, const Stimulus& stimulus,
                                    const CellLibrary& library, double wire_ff, int threads) {
  NBQ_CHECK(stimulus.outputs == request.outputs && !stimulus.windows.empty() &&
            stimulus.lanes_in == request.config.lanes_in);
  NBQ_ASSIGN(const Gates slice, map_slice(request, library));
  EnergyResult r;
  r.slice = request;
  r.area = slice.netlist.area;
  r.cells = slice.netlist.gates.size();
  r.flip_flops = slice.netlist.flip_flops;
  NBQ_ASSIGN(r.sta, run_sta(slice, library, request.clock_mhz));
  const Electrical bare = annotate(slice.netlist, library, 0);
  r.uniform = uniform_power(slice.netlist, bare, library, request.clock_mhz, r.sta.version);
  const Electrical electrical = annotate(slice.netlist, library, wire_ff);
  r.clock_pj = electrical.clock_inside_pj + electrical.clock_pins_pj;
  r.leakage_pj = electrical.leakage_w * 1e6 / request.clock_mhz;

  const std::vector<WindowResult> windows =
      run_windows({request, slice.netlist, {}, electrical}, stimulus, threads);
  std::vector<double> energies;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const WindowResult& w = windows[i];
    if (!w.right)
      return make_error(ErrorCode::kInvalidArgument,
                        "the {} slice's gates give another sum than its operands in window {}; "
                        "worst slack at {} MHz: {:.2f} ns",
                        pe_name(request.config.pe), i, request.clock_mhz, r.sta.slack_ns);
    energies.push_back(w.activity.all.total() / static_cast<double>(w.activity.cycles) +
                       r.clock_pj + r.leakage_pj);
    r.activity.add(w.activity);
    r.sums_checked += w.checked;
  }
  if (r.sta.slack_ns < 0 || r.activity.late > 0)
    return make_error(ErrorCode::kInvalidArgument,
                      "the {} slice is too slow for {} MHz: worst slack {:.2f} ns; lower the clock",
                      pe_name(request.config.pe), request.clock_mhz, r.sta.slack_ns);
  r.error = relative_error(energies);
  return r;
}

}  // namespace nbq::hw
