#include "hw/energy/toggles.h"

#include "core/file.h"
#include "core/log.h"
#include "core/process.h"
#include "hw/energy/slice_bench.h"
#include "hw/rtl_build.h"

namespace nbq::hw {
namespace {

namespace fs = std::filesystem;

/// Flattened, what nobody reads removed; yosys 0.23 can't write the family's own modules.
std::string script(const SliceRequest& r, SynthTarget target, const std::vector<fs::path>& files) {
  std::string s = "read_verilog -sv -defer";
  for (const fs::path& f : files) s += fmt::format(" \"{}\"", f.string());
  s += fmt::format("\n{}hierarchy -check -top {}", read_cells_command(target), kSliceTop);
  for (const auto& [name, value] : slice_parameters(r))
    s += fmt::format(" -chparam {} {}", name, value);
  return s + fmt::format(
                 "\n{}setattr -mod -unset keep_hierarchy *\nflatten\nopt_clean -purge\n"
                 "delete =* {} %d\nwrite_json slice.json\n",
                 synthesis_commands(target, kSliceTop, 1), kSliceTop);
}

Result<FpgaNetlist> map_on_fpga(const SliceRequest& r, SynthTarget target) {
  NBQ_ASSIGN(const fs::path yosys, find_tool("yosys", "yosys"));
  NBQ_ASSIGN(const std::string version, version_of({yosys.string(), "-V"}));
  NBQ_ASSIGN(const std::vector<fs::path> files, slice_sources());
  NBQ_ASSIGN(const std::string key,
             build_key(slice_parameters(r), files, version + script(r, target, {})));
  const fs::path json = cache_dir() / "gates" / fmt::format("{}.json", key);
  std::error_code ec;
  if (!fs::exists(json, ec)) {
    NBQ_ASSIGN(const ScratchDir scratch, ScratchDir::beside(json));
    log_debug("mapping {}", json.string());
    NBQ_TRY(write_file(scratch.path() / "slice.ys", script(r, target, files)));
    NBQ_ASSIGN(const ProcessResult run,
               run_process({yosys.string(), "-q", "-s", "slice.ys"}, scratch.path()));
    if (run.exit_code != 0)
      return make_error(ErrorCode::kBadFile, "yosys failed: {}", log_tail(run.output, 10));
    NBQ_TRY(commit_file(scratch.path() / "slice.json", json));
  }
  NBQ_ASSIGN(const std::string text, read_text_file(json));
  return read_fpga_netlist(text, kSliceTop, "clk_i");
}

double each_cycle(double count, const Activity& a) {
  return a.cycles == 0 ? 0 : count / static_cast<double>(a.cycles);
}

}  // namespace

double ToggleResult::toggles() const {
  return each_cycle(static_cast<double>(activity.loaded), activity);
}
double ToggleResult::pins() const { return each_cycle(activity.all.nets, activity); }

Result<ToggleResult> measure_toggles(SliceRequest request, SynthTarget target,
                                     const Stimulus& stimulus, int threads) {
  NBQ_CHECK(stimulus.outputs == request.outputs && !stimulus.windows.empty() &&
            stimulus.lanes_in == request.config.lanes_in);
  request.config.target = element_target(target);
  request.clock_mhz = 1;  // delays are units: nothing is late
  NBQ_ASSIGN(const FpgaNetlist netlist, map_on_fpga(request, target));
  ToggleResult r;
  r.slice = request;
  r.luts = netlist.luts;
  r.flip_flops = netlist.registers;
  r.dsps = static_cast<int>(netlist.dsps.size());
  const Electrical counters = netlist.counters();
  const auto windows =
      run_windows({request, netlist.gates, netlist.dsps, counters}, stimulus, threads);
  std::vector<double> toggles;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (!windows[i].right)
      return make_error(ErrorCode::kInvalidArgument,
                        "the {} slice's cells give another sum than its operands in window {}",
                        pe_name(request.config.pe), i);
    const Activity& a = windows[i].activity;
    toggles.push_back(each_cycle(static_cast<double>(a.loaded), a));
    r.activity.add(a);
    r.sums_checked += windows[i].checked;
  }
  r.error = relative_error(toggles);
  return r;
}

}  // namespace nbq::hw
