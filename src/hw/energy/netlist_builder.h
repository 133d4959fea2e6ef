#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/result.h"
#include "hw/energy/netlist.h"

namespace nbq::hw {

/// A netlist made cell by cell of a module in yosys's JSON, whose members throw json::exception
/// where they are not what they should be.
class NetlistBuilder {
 public:
  /// Ports, and which of them is the clock. Error kBadFile: no port `clock`.
  Status read_ports(const nlohmann::json& module, const std::string& clock);
  int clock() const { return clock_; }
  /// The net of a bit as it stands in the JSON; of a cell's pin, -1: open.
  int net(const nlohmann::json& bit);
  int pin(const nlohmann::json& cell, const std::string& name, std::size_t bit = 0);
  /// A net that the module has no name for.
  int new_net() { return n_.nets++; }
  void add(Gate gate);
  /// Error kBadFile: a loop of gates.
  Result<Netlist> finish();

 private:
  std::map<int, int> nets_;
  int clock_ = -1;
  Netlist n_;
  std::vector<Gate> logic_;
};

}  // namespace nbq::hw
