#include "hw/energy/netlist.h"

#include <nlohmann/json.hpp>

#include "core/result.h"

namespace nbq::hw {
namespace {

using nlohmann::json;

class Reader {
 public:
  Reader(const json& module, const CellLibrary& library) : module_(module), library_(library) {}

  Result<Netlist> read(const std::string& clock) {
    NBQ_TRY(read_ports(clock));
    std::vector<Gate> gates;
    for (const auto& [name, cell] : module_.at("cells").items()) {
      Gate g;
      g.name = name;
      NBQ_TRY(read_cell(cell, g));
      n_.area += g.cell->area;
      (g.cell->flip_flop ? n_.gates : gates).push_back(std::move(g));
    }
    n_.flip_flops = n_.gates.size();
    NBQ_TRY(sort(gates));
    return std::move(n_);
  }

 private:
  int net(const json& bit) {
    if (bit.is_string()) return bit.get<std::string>() == "1" ? 1 : 0;
    const int number = bit.get<int>();
    const auto [at, added] = nets_.emplace(number, n_.nets);
    if (added) ++n_.nets;
    return at->second;
  }

  Status read_ports(const std::string& clock) {
    for (const auto& [name, port] : module_.at("ports").items()) {
      std::vector<int> bits;
      for (const json& bit : port.at("bits")) bits.push_back(net(bit));
      if (name == clock)
        clock_ = bits.at(0);
      else
        (port.at("direction") == "input" ? n_.inputs : n_.outputs)[name] = bits;
    }
    if (clock_ < 0) return make_error(ErrorCode::kBadFile, "netlist: no port {}", clock);
    return ok_status();
  }

  Status read_cell(const json& cell, Gate& g) {
    const auto type = cell.at("type").get<std::string>();
    const auto found = library_.cells.find(type);
    if (found == library_.cells.end())
      return make_error(ErrorCode::kBadFile, "netlist: cell {} of type {} is not in library {}",
                        g.name, type, library_.name);
    g.cell = &found->second;
    const json& pins = cell.at("connections");
    const auto connected = [&](const std::string& pin) {
      return pins.contains(pin) && !pins.at(pin).empty() ? net(pins.at(pin).at(0)) : -1;
    };
    for (const std::string& pin : g.cell->inputs) {
      g.inputs.push_back(connected(pin));
      if (g.inputs.back() < 0)
        return make_error(ErrorCode::kBadFile, "netlist: pin {} of cell {} is open", pin, g.name);
    }
    for (const CellOutput& pin : g.cell->outputs) g.outputs.push_back(connected(pin.name));
    if (g.cell->flip_flop && connected(g.cell->clock) != clock_)
      return make_error(ErrorCode::kBadFile, "netlist: cell {} has another clock", g.name);
    return ok_status();
  }

  /// Appends the combinational gates so that each comes after those that drive it.
  Status sort(std::vector<Gate>& gates) {
    std::vector<std::vector<std::size_t>> readers(static_cast<std::size_t>(n_.nets));
    std::vector<int> driver(static_cast<std::size_t>(n_.nets), -1), waits(gates.size(), 0);
    for (std::size_t i = 0; i < gates.size(); ++i)
      for (const int out : gates[i].outputs)
        if (out >= 0) driver[static_cast<std::size_t>(out)] = static_cast<int>(i);
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < gates.size(); ++i) {
      for (const int in : gates[i].inputs) {
        if (driver[static_cast<std::size_t>(in)] < 0) continue;
        readers[static_cast<std::size_t>(in)].push_back(i);
        ++waits[i];
      }
      if (waits[i] == 0) ready.push_back(i);
    }
    std::size_t sorted = 0;
    for (; sorted < ready.size(); ++sorted)
      for (const int out : gates[ready[sorted]].outputs)
        if (out >= 0)
          for (const std::size_t i : readers[static_cast<std::size_t>(out)])
            if (--waits[i] == 0) ready.push_back(i);
    if (sorted != gates.size())
      return make_error(ErrorCode::kBadFile, "netlist: {} gates form a loop",
                        gates.size() - sorted);
    for (const std::size_t i : ready) n_.gates.push_back(std::move(gates[i]));
    return ok_status();
  }

  const json& module_;
  const CellLibrary& library_;
  std::map<int, int> nets_;
  int clock_ = -1;
  Netlist n_;
};

}  // namespace

Result<Netlist> read_netlist(std::string_view text, const std::string& top,
                             const std::string& clock, const CellLibrary& library) {
  try {
    const json document = json::parse(text);
    return Reader(document.at("modules").at(top), library).read(clock);
  } catch (const json::exception& e) {
    return make_error(ErrorCode::kBadFile, "netlist of {}: {}", top, e.what());
  }
}

}  // namespace nbq::hw
