#include "hw/energy/electrical.h"

#include <algorithm>
#include <cmath>

namespace nbq::hw {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

int picoseconds(double ns) { return std::max(1, static_cast<int>(std::lround(ns * 1000))); }

/// Slowest transition times of a net's rise and fall, ns.
struct Slew {
  double rise = 0, fall = 0;
  double worst() const { return std::max(rise, fall); }
};

/// Timing of one output into `load`, its inputs changing as slowly as `in` says.
OutputTiming output_timing(const CellOutput& out, const std::vector<Slew>& in, double load,
                           Slew& slew) {
  OutputTiming t;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const TimingArc& arc = out.arcs[i];
    const double s = in[i].worst();
    t.rise_ps.push_back(picoseconds(arc.rise_delay.at(s, load)));
    t.fall_ps.push_back(picoseconds(arc.fall_delay.at(s, load)));
    t.rise_pj.push_back(out.energy[i].rise.at(s, load));
    t.fall_pj.push_back(out.energy[i].fall.at(s, load));
    slew.rise = std::max(slew.rise, arc.rise_slew.at(s, load));
    slew.fall = std::max(slew.fall, arc.fall_slew.at(s, load));
  }
  return t;
}

}  // namespace

Electrical annotate(const Netlist& n, const CellLibrary& library, double wire_ff) {
  Electrical e;
  const auto nets = static_cast<std::size_t>(n.nets);
  e.load_pf.resize(nets);
  e.net_rise_pj.resize(nets);
  e.net_fall_pj.resize(nets);
  e.outputs.resize(n.gates.size());
  for (const Gate& g : n.gates)
    for (std::size_t i = 0; i < g.inputs.size(); ++i)
      e.load_pf[at(g.inputs[i])] += g.cell->input_pf[i] + wire_ff * 1e-3;

  const double half_v2 = 0.5 * library.voltage * library.voltage;
  std::vector<Slew> slews(nets, Slew{kPortSlewNs, kPortSlewNs});
  for (std::size_t k = 0; k < n.gates.size(); ++k) {
    const Gate& g = n.gates[k];
    std::vector<Slew> in;
    if (g.cell->flip_flop) {
      in.push_back({kPortSlewNs, kPortSlewNs});
      e.clock_inside_pj += g.cell->clock_energy.rise.at(kPortSlewNs, 0) +
                           g.cell->clock_energy.fall.at(kPortSlewNs, 0);
      e.clock_pins_pj += 2 * half_v2 * (g.cell->clock_pf + wire_ff * 1e-3);
    } else {
      for (const int net : g.inputs) in.push_back(slews[at(net)]);
    }
    for (std::size_t o = 0; o < g.outputs.size(); ++o) {
      const int net = g.outputs[o];
      Slew slew;
      e.outputs[k].push_back(
          output_timing(g.cell->outputs[o], in, net < 0 ? 0 : e.load_pf[at(net)], slew));
      if (net >= 0) slews[at(net)] = slew;
    }
    e.leakage_w += g.cell->leakage_w;
  }
  for (const Gate& g : n.gates)
    for (std::size_t i = 0; i < g.inputs.size(); ++i) {
      const double s = slews[at(g.inputs[i])].worst();
      e.net_rise_pj[at(g.inputs[i])] += g.cell->input_energy[i].rise.at(s, 0);
      e.net_fall_pj[at(g.inputs[i])] += g.cell->input_energy[i].fall.at(s, 0);
    }
  for (std::size_t i = 2; i < nets; ++i) {
    e.net_rise_pj[i] += half_v2 * e.load_pf[i];
    e.net_fall_pj[i] += half_v2 * e.load_pf[i];
  }
  return e;
}

}  // namespace nbq::hw
