#pragma once
#include <vector>

#include "hw/energy/netlist.h"

namespace nbq::hw {

/// Delay and energy of one output of a gate, by the input that makes it change.
struct OutputTiming {
  std::vector<int> rise_ps, fall_ps;     ///< >= 1
  std::vector<double> rise_pj, fall_pj;  ///< inside the cell
};

/// Loads, delays and energies of a netlist before placement: pins load the nets, and `wire_ff` of
/// wire for each pin that a net drives. Every gate is seen with the slowest transition at each of
/// its inputs. Index as the netlist's.
struct Electrical {
  std::vector<double> load_pf;      ///< of a net
  std::vector<double> net_rise_pj;  ///< of a rise of a net: its load, and the pins that it drives
  std::vector<double> net_fall_pj;
  std::vector<std::vector<OutputTiming>> outputs;  ///< [gate][output]
  double clock_inside_pj = 0;                      ///< of one clock cycle inside all flip-flops
  double clock_pins_pj = 0;                        ///< of one clock cycle: load of their clock pins
  double leakage_w = 0;
};

/// Transition time at ports and clock pins, as OpenSTA is told.
inline constexpr double kPortSlewNs = 0.1;

Electrical annotate(const Netlist& netlist, const CellLibrary& library, double wire_ff);

}  // namespace nbq::hw
