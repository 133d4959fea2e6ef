#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hw/energy/cell_library.h"

namespace nbq::hw {

/// A cell of the netlist with its nets.
struct Gate {
  std::string name;
  const LibraryCell* cell = nullptr;
  std::vector<int> inputs;   ///< nets, in the order of cell->inputs
  std::vector<int> outputs;  ///< in the order of cell->outputs; -1: no net
};

/// A flat netlist of library cells with one clock. Nets 0 and 1 are the constants.
struct Netlist {
  int nets = 2;
  std::vector<Gate> gates;  ///< flip-flops first, then the others in the order of their levels
  std::size_t flip_flops = 0;
  std::map<std::string, std::vector<int>> inputs, outputs;  ///< ports without the clock, low first
  double area = 0;                                          ///< of all cells, the library's unit
};

/// Reads what yosys's write_json wrote of module `top`. `library` must outlive the netlist.
/// Errors kBadFile: no such JSON, a cell that the library lacks, a flip-flop that is not clocked by
/// port `clock`, a loop of gates.
Result<Netlist> read_netlist(std::string_view json, const std::string& top,
                             const std::string& clock, const CellLibrary& library);

}  // namespace nbq::hw
