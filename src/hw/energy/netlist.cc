#include "hw/energy/netlist.h"

#include "hw/energy/netlist_builder.h"

namespace nbq::hw {
namespace {

using nlohmann::json;

class Reader {
 public:
  Reader(const json& module, const CellLibrary& library) : module_(module), library_(library) {}

  Result<Netlist> read(const std::string& clock) {
    NBQ_TRY(n_.read_ports(module_, clock));
    for (const auto& [name, cell] : module_.at("cells").items()) {
      Gate g;
      g.name = name;
      NBQ_TRY(read_cell(cell, g));
      n_.add(std::move(g));
    }
    return n_.finish();
  }

 private:
  Status read_cell(const json& cell, Gate& g) {
    const auto type = cell.at("type").get<std::string>();
    const auto found = library_.cells.find(type);
    if (found == library_.cells.end())
      return make_error(ErrorCode::kBadFile, "netlist: cell {} of type {} is not in library {}",
                        g.name, type, library_.name);
    g.cell = &found->second;
    for (const std::string& pin : g.cell->inputs) {
      g.inputs.push_back(n_.pin(cell, pin));
      if (g.inputs.back() < 0)
        return make_error(ErrorCode::kBadFile, "netlist: pin {} of cell {} is open", pin, g.name);
    }
    for (const CellOutput& pin : g.cell->outputs) g.outputs.push_back(n_.pin(cell, pin.name));
    if (g.cell->flip_flop && n_.pin(cell, g.cell->clock) != n_.clock())
      return make_error(ErrorCode::kBadFile, "netlist: cell {} has another clock", g.name);
    return ok_status();
  }

  const json& module_;
  const CellLibrary& library_;
  NetlistBuilder n_;
};

}  // namespace

int NetlistBuilder::net(const json& bit) {
  if (bit.is_string()) return bit.get<std::string>() == "1" ? 1 : 0;
  const int number = bit.get<int>();
  const auto [at, added] = nets_.emplace(number, n_.nets);
  if (added) ++n_.nets;
  return at->second;
}

int NetlistBuilder::pin(const json& cell, const std::string& name, std::size_t bit) {
  const json& pins = cell.at("connections");
  return pins.contains(name) && pins.at(name).size() > bit ? net(pins.at(name).at(bit)) : -1;
}

Status NetlistBuilder::read_ports(const json& module, const std::string& clock) {
  for (const auto& [name, port] : module.at("ports").items()) {
    std::vector<int> bits;
    for (const json& bit : port.at("bits")) bits.push_back(net(bit));
    if (name == clock && !bits.empty())
      clock_ = bits[0];
    else
      (port.at("direction") == "input" ? n_.inputs : n_.outputs)[name] = bits;
  }
  if (clock_ < 0) return make_error(ErrorCode::kBadFile, "netlist: no port {}", clock);
  return ok_status();
}

void NetlistBuilder::add(Gate gate) {
  n_.area += gate.cell->area;
  (gate.cell->flip_flop ? n_.gates : logic_).push_back(std::move(gate));
}

/// Appends the combinational gates so that each comes after those that drive it.
Result<Netlist> NetlistBuilder::finish() {
  n_.flip_flops = n_.gates.size();
  std::vector<std::vector<std::size_t>> readers(static_cast<std::size_t>(n_.nets));
  std::vector<int> driver(static_cast<std::size_t>(n_.nets), -1), waits(logic_.size(), 0);
  for (std::size_t i = 0; i < logic_.size(); ++i)
    for (const int out : logic_[i].outputs)
      if (out >= 0) driver[static_cast<std::size_t>(out)] = static_cast<int>(i);
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < logic_.size(); ++i) {
    for (const int in : logic_[i].inputs) {
      if (driver[static_cast<std::size_t>(in)] < 0) continue;
      readers[static_cast<std::size_t>(in)].push_back(i);
      ++waits[i];
    }
    if (waits[i] == 0) ready.push_back(i);
  }
  std::size_t sorted = 0;
  for (; sorted < ready.size(); ++sorted)
    for (const int out : logic_[ready[sorted]].outputs)
      if (out >= 0)
        for (const std::size_t i : readers[static_cast<std::size_t>(out)])
          if (--waits[i] == 0) ready.push_back(i);
  if (sorted != logic_.size())
    return make_error(ErrorCode::kBadFile, "netlist: {} gates form a loop", logic_.size() - sorted);
  for (const std::size_t i : ready) n_.gates.push_back(std::move(logic_[i]));
  return std::move(n_);
}

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
