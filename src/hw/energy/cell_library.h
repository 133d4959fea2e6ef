#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"

namespace nbq::hw {

/// A Liberty table over the input's transition time (ns) and the output's load (pF), or over one
/// of them, or a constant. Between its points and beyond them it is linear.
struct LibertyTable {
  std::vector<double> slew, load;  ///< sorted; empty: no dependence
  std::vector<double> values;      ///< slew-major
  double at(double slew_ns, double load_pf) const;
  bool empty() const { return values.empty(); }
};

/// Value of an output as a function of a cell's input pins: bit i of `table` is its value when the
/// inputs, first one lowest, spell i.
struct TruthTable {
  std::uint64_t table = 0;
  bool at(unsigned inputs) const { return ((table >> inputs) & 1) != 0; }
};
inline constexpr int kMaxCellInputs = 6;

/// The truth table of a Liberty function over `inputs`. `!a`, `a'`, `a & b`, `a * b`, `a b`, `a |
/// b`, `a + b`, `a ^ b`, parentheses, 0, 1. Error kBadFile: not such a function, or one of a name
/// that is no input.
Result<TruthTable> parse_function(const std::string& function,
                                  const std::vector<std::string>& inputs);

/// From an input to an output: delay and transition time in ns.
struct TimingArc {
  LibertyTable rise_delay, fall_delay, rise_slew, fall_slew;
};
/// Energy inside the cell of one transition, pJ, of a rise and of a fall.
struct InternalEnergy {
  LibertyTable rise, fall;
};

struct CellOutput {
  std::string name;
  TruthTable function;  ///< of a flip-flop: of its state alone (bit 0)
  /// By input (a flip-flop: one, from the clock); empty tables where the Liberty file has none.
  std::vector<TimingArc> arcs;
  std::vector<InternalEnergy> energy;
};

/// A combinational cell or an edge-triggered flip-flop without asynchronous pins.
struct LibraryCell {
  std::string name;
  double area = 0;
  double leakage_w = 0;
  std::vector<std::string> inputs;  ///< a flip-flop's clock is not among them
  std::vector<double> input_pf;
  std::vector<InternalEnergy> input_energy;  ///< of a transition of the pin alone
  std::vector<CellOutput> outputs;
  bool flip_flop = false;
  std::string clock;
  double clock_pf = 0;
  InternalEnergy clock_energy;
  TruthTable next_state;
};

/// The cells of a Liberty file that a netlist of gates may use. Others (latches, tri-states, scan
/// cells) are left out.
struct CellLibrary {
  std::string name;
  std::string text;  ///< the Liberty file without the cells that are left out, for the tools
  double voltage = 0;
  std::map<std::string, LibraryCell> cells;
  /// Names of the smallest full adder (two outputs: sum and majority), and of the buffer that
  /// synthesis is told to drive its inputs with; empty without.
  std::string full_adder, buffer;
};

/// Reads a Liberty file without the cells whose name fits one of the patterns `dont_use` (* and ?)
/// or that say dont_use themselves.
/// Errors kBadFile: unreadable, no Liberty file, without a voltage, flip-flop, inverter or
/// two-input gate (says which).
Result<CellLibrary> load_cell_library(const std::filesystem::path& path,
                                      const std::vector<std::string>& dont_use = {});
/// The same of a file's text; `name` is for messages.
Result<CellLibrary> read_cell_library(std::string_view text, const std::string& name,
                                      const std::vector<std::string>& dont_use = {});

}  // namespace nbq::hw
