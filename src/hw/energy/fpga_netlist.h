#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hw/energy/gate_sim.h"
#include "hw/synth.h"

namespace nbq::hw {

/// A DSP block as the elements use it: every register in place. Its outputs are registers, so that
/// the simulation of the gates sees them as ports.
struct DspBlock {
  bool cascade = false;                              ///< DSP48E2: else MULT18X18D
  bool second_b = false;                             ///< b passes two registers
  bool pre_add = false;                              ///< (a + d) b
  std::vector<int> a, b, d, p, pc_in, pc_out, mode;  ///< nets, low first
  int enable = 1;                                    ///< of the output register
  // Registers.
  std::int64_t a_q = 0, d_q = 0, ad_q = 0, b1_q = 0, b2_q = 0, m_q = 0, p_q = 0;
  std::uint32_t mode_q = 0;

  /// What the next clock edge puts into the registers, from the nets as they are now.
  void clock(const GateSim& sim);
  /// Their outputs, from that edge on.
  void drive(GateSim& sim) const;
};

/// A flat netlist of an FPGA's cells. A carry cell is a table, a sum and a carry a bit; the nets
/// between them lie inside it.
struct FpgaNetlist {
  std::map<std::string, LibraryCell> cells;  ///< those that `gates` refers to
  Netlist gates;
  std::vector<DspBlock> dsps;
  std::vector<int> fabric_pins;  ///< of a net: pins that it reaches over the fabric's wires
  int luts = 0, carries = 0;     ///< tables of their own, carry places' included; carry places
  int registers = 0;             ///< flip-flops; a shift register is a table

  /// Unit delays (a table with its wires 10, a carry 1), and a net's pins on the fabric in the
  /// place of its load and energy: Activity::loaded counts toggles of the fabric's nets,
  /// SwitchingEnergy::nets the pins that toggle.
  Electrical counters() const;
};

/// Reads what yosys's write_json wrote of module `top`, flattened. What is clocked must hang on
/// port `clock`. Errors kBadFile: no such JSON, a cell or a use of one that nbq's elements have
/// none of (names it).
Result<FpgaNetlist> read_fpga_netlist(std::string_view json, const std::string& top,
                                      const std::string& clock);

}  // namespace nbq::hw
