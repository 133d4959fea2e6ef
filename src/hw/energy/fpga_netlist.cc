#include "hw/energy/fpga_netlist.h"

#include <algorithm>

#include "hw/bit_reader.h"
#include "hw/energy/netlist_builder.h"

namespace nbq::hw {
namespace {

using nlohmann::json;

constexpr int kTableDelay = 10, kCarryDelay = 1;
/// Pins of the tables and registers that this file makes of a cell.
const std::string kPins[] = {"i0", "i1", "i2", "i3", "i4", "i5"};

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// A parameter as yosys writes it: bits, high first; text elsewhere.
std::string parameter(const json& cell, const std::string& name) {
  const json& all = cell.at("parameters");
  return all.contains(name) ? all.at(name).get<std::string>() : std::string();
}

std::uint64_t number(const std::string& bits) {
  std::uint64_t v = 0;
  for (const char c : bits) v = v << 1 | (c == '1' ? 1u : 0u);
  return v;
}

/// Whether yosys wrote the parameter as this text; it pads short ones.
bool says(const json& cell, const std::string& name, std::string_view text) {
  std::string v = parameter(cell, name);
  while (!v.empty() && v.back() == ' ') v.pop_back();
  return v == text;
}

class Reader {
 public:
  explicit Reader(const json& module) : module_(module) {}

  Result<FpgaNetlist> read(const std::string& clock) {
    NBQ_TRY(n_.read_ports(module_, clock));
    for (const auto& [name, cell] : module_.at("cells").items()) {
      name_ = name;
      NBQ_TRY(read_cell(cell, cell.at("type").get<std::string>()));
    }
    NBQ_ASSIGN(f_.gates, n_.finish());
    NBQ_TRY(check_outputs());
    count_pins();
    return std::move(f_);
  }

 private:
  Status check_outputs() {
    for (const Gate& g : f_.gates.gates)
      for (const int out : g.outputs)
        if (out == 0 || out == 1)
          return make_error(ErrorCode::kBadFile, "netlist: cell {} drives a constant", g.name);
    return ok_status();
  }

  Status refuse(const std::string& what) const {
    return make_error(ErrorCode::kBadFile, "netlist: cell {}: {}", name_, what);
  }

  Status read_cell(const json& c, const std::string& type) {
    if (type == "LUT4") return lut(c, {"A", "B", "C", "D"}, "Z");
    if (type == "CCU2C") return ccu2c(c);
    if (type == "TRELLIS_FF") return trellis_ff(c);
    if (type == "MULT18X18D") return mult18(c);
    if (type == "LUT6_2") return lut6_2(c);
    if (type.size() == 4 && type.starts_with("LUT") && type[3] >= '1' && type[3] <= '6')
      return lut(c, {"I0", "I1", "I2", "I3", "I4", "I5"}, "O",
                 static_cast<std::size_t>(type[3] - '0'));
    if (type == "INV") return table({n_.pin(c, "I")}, n_.pin(c, "O"), 1);
    if (type == "CARRY8") return carry8(c);
    if (type == "MUXF7" || type == "MUXF8" || type == "MUXF9") return muxf(c);
    if (type == "FDRE" || type == "FDSE") return fd(c, type == "FDSE");
    if (type == "SRL16E") return srl16(c);
    if (type == "DSP48E2") return dsp48(c);
    return refuse("of type " + type + ", which no element has");
  }

  // ---- logic ----
  const LibraryCell* cell(const std::string& kind, std::size_t inputs, std::uint64_t function,
                          bool flip_flop = false) {
    const std::string name = fmt::format("{}{}:{:x}", kind, inputs, function);
    LibraryCell& c = f_.cells[name];
    if (!c.name.empty()) return &c;
    c.name = name;
    c.inputs.assign(kPins, kPins + inputs);
    c.flip_flop = flip_flop;
    if (flip_flop) c.next_state.table = function;
    c.outputs.push_back({"o", {flip_flop ? 2 : function}, {}, {}});
    return &c;
  }

  /// A lookup table; a second one of the same pins is `inner`.
  Status table(std::vector<int> in, int out, std::uint64_t function, bool inner = false) {
    if (std::any_of(in.begin(), in.end(), [](int net) { return net < 0; }))
      return refuse("a pin is open");
    f_.luts += inner ? 0 : 1;
    const LibraryCell* c = cell(inner ? "inner" : "table", in.size(), function);
    n_.add({name_, c, std::move(in), {out}});
    return ok_status();
  }

  Status lut(const json& c, std::vector<std::string> pins, const std::string& out,
             std::size_t used = 4) {
    pins.resize(used);
    std::vector<int> in;
    for (const std::string& p : pins) in.push_back(n_.pin(c, p));
    return table(std::move(in), n_.pin(c, out), number(parameter(c, "INIT")));
  }

  Status lut6_2(const json& c) {
    std::vector<int> in;
    for (const char* p : {"I0", "I1", "I2", "I3", "I4", "I5"}) in.push_back(n_.pin(c, p));
    const std::uint64_t init = number(parameter(c, "INIT"));
    if (const int out = n_.pin(c, "O6"); out >= 0) NBQ_TRY(table(in, out, init));
    in.pop_back();
    if (const int out = n_.pin(c, "O5"); out >= 0)
      NBQ_TRY(table(in, out, init & 0xffffffff, n_.pin(c, "O6") >= 0));
    return ok_status();
  }

  /// One place of a carry chain: sum = p ^ carry, next carry = p ? carry : g.
  void chain(int p, int g, int& carry, int sum) {
    if (sum >= 0) n_.add({name_, cell("sum", 2, 0b0110), {p, carry}, {sum}});
    const int next = n_.new_net();
    n_.add({name_, cell("carry", 3, 0b11100100), {p, g, carry}, {next}});  // bit 0 is p
    carry = next;
    ++f_.carries;
  }

  /// A net that is another one: through the cell "wire".
  void same(int net, int as) {
    if (net < 0) return;
    n_.add({name_, cell("wire", 1, 2), {as}, {net}});
  }

  Status ccu2c(const json& c) {
    int carry = std::max(0, n_.pin(c, "CIN"));
    for (const std::string i : {"0", "1"}) {
      const std::uint64_t init = number(parameter(c, "INIT" + i));
      if (!says(c, "INJECT1_" + i, "NO")) return refuse("CCU2C that does not pass its carry");
      std::vector<int> in;
      for (const char* p : {"A", "B", "C", "D"}) in.push_back(std::max(0, n_.pin(c, p + i)));
      const int p = n_.new_net(), g = n_.new_net();
      NBQ_TRY(table(in, p, init));
      in.resize(2);
      NBQ_TRY(table(in, g, init & 15, true));
      chain(p, g, carry, n_.pin(c, "S" + i));
    }
    same(n_.pin(c, "COUT"), carry);
    return ok_status();
  }

  /// Chooses between the tables beside it.
  Status muxf(const json& c) {
    std::vector<int> in;
    for (const char* p : {"I0", "I1", "S"}) in.push_back(n_.pin(c, p));
    if (*std::min_element(in.begin(), in.end()) < 0) return refuse("a pin is open");
    n_.add({name_, cell("mux", 3, 0b11001010), std::move(in), {n_.pin(c, "O")}});
    return ok_status();
  }

  Status carry8(const json& c) {
    int carry = std::max(0, n_.pin(c, "CI"));
    for (std::size_t i = 0; i < 8; ++i) {
      const int p = std::max(0, n_.pin(c, "S", i)), g = std::max(0, n_.pin(c, "DI", i));
      chain(p, g, carry, n_.pin(c, "O", i));
      same(n_.pin(c, "CO", i), carry);
    }
    return ok_status();
  }

  // ---- registers ----
  Status clocked(int net) const {
    if (net == n_.clock()) return ok_status();
    return refuse("another clock");
  }

  /// q <= reset ? value : enable ? d : q.
  Status flip_flop(int d, int enable, int reset, bool value, int q, const char* kind = "register") {
    if (q < 0) return ok_status();
    if (d < 0 || enable < 0 || reset < 0) return refuse("a register with an open pin");
    std::uint64_t next = 0;
    for (unsigned s = 0; s < 16; ++s) {  // {q, reset, enable, d}
      const bool now = (s & 4) != 0 ? value : (s & 2) != 0 ? (s & 1) != 0 : (s & 8) != 0;
      next |= std::uint64_t{now} << s;
    }
    n_.add({name_, cell(kind, 4, next, true), {d, enable, reset, q}, {q}});
    ++f_.registers;
    return ok_status();
  }

  Status trellis_ff(const json& c) {
    NBQ_TRY(clocked(n_.pin(c, "CLK")));
    if (!says(c, "CLKMUX", "CLK") || says(c, "SRMODE", "ASYNC"))
      return refuse("a register with an inverted clock or an asynchronous reset");
    const bool enabled = says(c, "CEMUX", "CE");
    if (!enabled && !says(c, "CEMUX", "1")) return refuse("a register with an inverted enable");
    if (!says(c, "LSRMUX", "LSR")) return refuse("a register with an inverted reset");
    return flip_flop(n_.pin(c, "DI"), enabled ? n_.pin(c, "CE") : 1, std::max(0, n_.pin(c, "LSR")),
                     says(c, "REGSET", "SET"), n_.pin(c, "Q"));
  }

  Status fd(const json& c, bool sets) {
    NBQ_TRY(clocked(n_.pin(c, "C")));
    for (const char* inverted :
         {"IS_C_INVERTED", "IS_D_INVERTED", "IS_R_INVERTED", "IS_S_INVERTED"})
      if (number(parameter(c, inverted)) != 0) return refuse(std::string(inverted) + " is set");
    return flip_flop(n_.pin(c, "D"), n_.pin(c, "CE"), n_.pin(c, sets ? "S" : "R"), sets,
                     n_.pin(c, "Q"));
  }

  /// As many registers as the address says; those before the last lie inside.
  Status srl16(const json& c) {
    NBQ_TRY(clocked(n_.pin(c, "CLK")));
    int length = 1;
    for (int i = 0; i < 4; ++i) {
      const int net = n_.pin(c, fmt::format("A{}", i));
      if (net < 0 || net > 1) return refuse("a shift register of changing length");
      length += net << i;
    }
    int d = n_.pin(c, "D");
    for (int i = 0; i < length; ++i) {
      const int q = i + 1 < length ? n_.new_net() : n_.pin(c, "Q");
      NBQ_TRY(flip_flop(d, n_.pin(c, "CE"), 0, false, q, i == 0 ? "register" : "stage"));
      d = q;
    }
    f_.luts += 1;
    f_.registers -= length;
    return ok_status();
  }

  // ---- DSP blocks ----
  std::vector<int> bus(const json& c, const std::string& pin) {
    std::vector<int> nets;
    const json& pins = c.at("connections");
    for (std::size_t i = 0; pins.contains(pin) && i < pins.at(pin).size(); ++i)
      nets.push_back(n_.pin(c, pin, i));
    return nets;
  }
  std::vector<int> scattered(const json& c, char pin, int width) {
    std::vector<int> nets;
    for (int i = 0; i < width; ++i) nets.push_back(n_.pin(c, fmt::format("{}{}", pin, i)));
    return nets;
  }

  Status mult18(const json& c) {
    NBQ_TRY(clocked(n_.pin(c, "CLK0")));
    for (const char* r : {"REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_PIPELINE_CLK", "REG_OUTPUT_CLK"})
      if (!says(c, r, "CLK0")) return refuse(std::string("a multiplier without ") + r);
    if (n_.pin(c, "SIGNEDA") != 1 || n_.pin(c, "SIGNEDB") != 1) return refuse("unsigned operands");
    DspBlock d;
    d.a = scattered(c, 'A', 18);
    d.b = scattered(c, 'B', 18);
    d.p = scattered(c, 'P', 36);
    f_.dsps.push_back(std::move(d));
    return ok_status();
  }

  Status dsp48(const json& c) {
    NBQ_TRY(clocked(n_.pin(c, "CLK")));
    for (const char* bus_name : {"A", "B", "D", "P", "PCIN", "PCOUT", "OPMODE"})
      if (bus(c, bus_name).size() > 48) return refuse("a bus wider than the block's");
    for (const char* r : {"AREG", "DREG", "ADREG", "MREG", "PREG", "OPMODEREG"})
      if (number(parameter(c, r)) != 1) return refuse(std::string("a DSP48E2 without ") + r);
    DspBlock d;
    d.cascade = true;
    d.second_b = number(parameter(c, "BREG")) == 2;
    d.pre_add = says(c, "AMULTSEL", "AD");
    d.a = bus(c, "A");
    d.a.resize(27);  // what multiplies
    d.b = bus(c, "B");
    d.d = bus(c, "D");
    d.p = bus(c, "P");
    d.pc_in = bus(c, "PCIN");
    d.pc_out = bus(c, "PCOUT");
    d.mode = bus(c, "OPMODE");
    d.enable = n_.pin(c, "CEP");
    f_.dsps.push_back(std::move(d));
    return ok_status();
  }

  /// What comes over the fabric: a table's inputs; a register's and a carry place's, unless logic
  /// beside them drives them.
  void count_pins() {
    const Netlist& n = f_.gates;
    f_.fabric_pins.assign(at(n.nets), 0);
    std::vector<bool> logic(at(n.nets), false);
    for (const Gate& g : n.gates)
      for (const int out : g.outputs)
        if (out >= 0 && !g.cell->flip_flop) logic[at(out)] = true;
    for (const Gate& g : n.gates) {
      const std::string& kind = g.cell->name;
      const bool table = kind.starts_with("table"), carry = kind.starts_with("carry"),
                 reg = kind.starts_with("register"), mux = kind.starts_with("mux");
      // A register's own output, a chain's carry stay inside.
      const std::size_t pins = reg || mux ? 3 : table ? g.inputs.size() : carry ? 2 : 0;
      for (std::size_t i = 0; i < pins; ++i) {
        const bool beside = logic[at(g.inputs[i])] && (carry || (reg && i == 0) || (mux && i < 2));
        if (!beside) ++f_.fabric_pins[at(g.inputs[i])];
      }
    }
    for (const DspBlock& d : f_.dsps)
      for (const auto* pins : {&d.a, &d.b, &d.d, &d.mode})
        for (const int net : *pins)
          if (net >= 0) ++f_.fabric_pins[at(net)];
    f_.fabric_pins[0] = f_.fabric_pins[1] = 0;
    f_.fabric_pins[at(n_.clock())] = 0;
  }

  const json& module_;
  std::string name_;
  NetlistBuilder n_;
  FpgaNetlist f_;
};

std::int64_t value_of(const GateSim& sim, const std::vector<int>& nets, bool is_signed) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < nets.size(); ++i)
    v |= std::uint64_t{nets[i] >= 0 && sim.value(nets[i])} << i;
  return is_signed && !nets.empty() ? sign_extend(v, static_cast<int>(nets.size()))
                                    : static_cast<std::int64_t>(v);
}

void put(GateSim& sim, const std::vector<int>& nets, std::int64_t value) {
  for (std::size_t i = 0; i < nets.size(); ++i)
    if (nets[i] > 1) sim.set(nets[i], ((static_cast<std::uint64_t>(value) >> i) & 1) != 0);
}

}  // namespace

void DspBlock::clock(const GateSim& sim) {
  const std::uint32_t m = mode_q;
  if (!cascade) {
    p_q = m_q;
  } else if (enable < 0 || sim.value(enable)) {
    std::uint64_t sum = 0;
    if ((m & 15) == 5) sum += static_cast<std::uint64_t>(m_q);
    if ((m >> 4 & 7) == 1) sum += static_cast<std::uint64_t>(value_of(sim, pc_in, false));
    if ((m >> 7 & 3) == 1) sum += static_cast<std::uint64_t>(p_q);
    p_q = static_cast<std::int64_t>(sum & ((std::uint64_t{1} << 48) - 1));
  }
  const std::int64_t b_now = value_of(sim, b, true);
  m_q = (pre_add ? ad_q : a_q) * b2_q;
  ad_q = a_q + d_q;
  b2_q = second_b ? b1_q : b_now;
  b1_q = b_now;
  a_q = value_of(sim, a, true);
  d_q = value_of(sim, d, true);
  mode_q = static_cast<std::uint32_t>(value_of(sim, mode, false));
}

void DspBlock::drive(GateSim& sim) const {
  put(sim, p, p_q);
  put(sim, pc_out, p_q);
}

Electrical FpgaNetlist::counters() const {
  Electrical e;
  for (const int pins : fabric_pins) e.load_pf.push_back(pins);
  e.net_rise_pj = e.net_fall_pj = e.load_pf;
  for (const Gate& g : gates.gates) {
    const std::size_t inputs = g.cell->flip_flop ? 1 : g.inputs.size();
    const bool slow =
        g.cell->flip_flop || g.cell->name.starts_with("table") || g.cell->name.starts_with("inner");
    auto& outputs = e.outputs.emplace_back();
    const std::vector<int> delay(inputs, slow ? kTableDelay : kCarryDelay);
    const std::vector<double> none(inputs, 0);
    outputs.assign(g.outputs.size(), {delay, delay, none, none});
  }
  return e;
}

Result<FpgaNetlist> read_fpga_netlist(std::string_view text, const std::string& top,
                                      const std::string& clock) {
  try {
    const json document = json::parse(text);
    return Reader(document.at("modules").at(top)).read(clock);
  } catch (const json::exception& e) {
    return make_error(ErrorCode::kBadFile, "netlist of {}: {}", top, e.what());
  }
}

}  // namespace nbq::hw
