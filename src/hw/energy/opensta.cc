#include "hw/energy/opensta.h"

#include <sstream>

#include "core/file.h"
#include "core/process.h"
#include "hw/rtl_build.h"

namespace nbq::hw {
namespace {

std::string script(double clock_mhz) {
  return fmt::format(
      "read_liberty cells.lib\nread_verilog slice.v\nlink_design nbq_array_slice\n"
      "create_clock -name clk -period {:.6g} [get_ports clk_i]\n"
      "set_clock_transition {} [all_clocks]\n"
      "set_input_delay 0 -clock clk [all_inputs]\nset_input_transition {} [all_inputs]\n"
      "set_output_delay 0 -clock clk [all_outputs]\n"
      "report_worst_slack\n"
      "set_power_activity -global -activity {} -duty 0.5\nreport_power -digits 6\n",
      1e3 / clock_mhz, kPortSlewNs, kPortSlewNs, kStaActivity);
}

/// Energy inside the gate per clock cycle at kStaActivity on all its inputs: OpenSTA lets an
/// input's transition reach the output as often as the function depends on it.
double inside_pj(const Gate& gate, std::size_t output, const OutputTiming& t) {
  const TruthTable f = gate.cell->outputs[output].function;
  const unsigned rows = 1u << gate.inputs.size();
  double sum = 0;
  for (std::size_t i = 0; i < t.rise_pj.size(); ++i) {
    unsigned passes = gate.cell->flip_flop ? rows : 0;
    for (unsigned row = 0; row < rows && !gate.cell->flip_flop; ++row)
      passes += f.at(row) != f.at(row ^ (1u << i));
    sum += (t.rise_pj[i] + t.fall_pj[i]) / 2 * passes / rows;
  }
  return kStaActivity * sum;
}

}  // namespace

Result<PowerTotals> parse_report_power(const std::string& report) {
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    PowerTotals p;
    if (words >> name >> p.internal >> p.switching >> p.leakage && name == "Total") return p;
  }
  return make_error(ErrorCode::kBadFile, "OpenSTA: no totals in {}", log_tail(report, 5));
}

Result<StaResult> run_sta(const Gates& slice, const CellLibrary& library, double clock_mhz) {
  NBQ_ASSIGN(const std::filesystem::path sta, find_tool("sta", "opensta"));
  NBQ_ASSIGN(const ScratchDir scratch, ScratchDir::beside(cache_dir() / "gates" / "sta"));
  StaResult r;
  NBQ_ASSIGN(r.version, version_of({sta.string(), "-version"}));
  NBQ_TRY(write_file(scratch.path() / "cells.lib", library.text));
  NBQ_TRY(write_file(scratch.path() / "slice.v", slice.verilog));
  NBQ_TRY(write_file(scratch.path() / "sta.tcl", script(clock_mhz)));
  NBQ_ASSIGN(const ProcessResult run,
             run_process({sta.string(), "-no_splash", "-exit", "sta.tcl"}, scratch.path()));
  const std::size_t at = run.output.find("worst slack ");
  if (run.exit_code != 0 || at == std::string::npos)
    return make_error(ErrorCode::kBadFile, "OpenSTA failed: {}", log_tail(run.output, 10));
  std::string_view slack = std::string_view(run.output).substr(at + 12);
  if (slack.starts_with("max ")) slack.remove_prefix(4);  // later versions
  const std::string number(slack.substr(0, slack.find('\n')));
  char* end = nullptr;
  r.slack_ns = std::strtod(number.c_str(), &end);
  if (end == number.c_str())
    return make_error(ErrorCode::kBadFile, "OpenSTA: no number in worst slack {}", number);
  NBQ_ASSIGN(r.power, parse_report_power(run.output));
  return r;
}

PowerTotals uniform_power(const Netlist& n, const Electrical& e, const CellLibrary& library,
                          double clock_mhz, const std::string& version) {
  const double counted = version.starts_with("2.0.") ? 2 : 1;
  // pJ a cycle, first.
  PowerTotals p;
  const double half_v2 = 0.5 * library.voltage * library.voltage;
  std::vector<bool> driven(static_cast<std::size_t>(n.nets));
  for (std::size_t g = 0; g < n.gates.size(); ++g)
    for (std::size_t o = 0; o < n.gates[g].outputs.size(); ++o) {
      p.internal += counted * inside_pj(n.gates[g], o, e.outputs[g][o]);
      const int net = n.gates[g].outputs[o];
      if (net >= 0) driven[static_cast<std::size_t>(net)] = true;
    }
  for (std::size_t i = 2; i < driven.size(); ++i) {
    const double load = half_v2 * e.load_pf[i];
    p.internal += kStaActivity * ((e.net_rise_pj[i] + e.net_fall_pj[i]) / 2 - load);
    if (driven[i]) p.switching += kStaActivity * load;  // a port's load is nobody's in OpenSTA
  }
  p.internal += counted * e.clock_inside_pj;
  const double watts = 1e-12 * clock_mhz * 1e6;
  return {p.internal * watts, p.switching * watts, e.leakage_w};
}

}  // namespace nbq::hw
