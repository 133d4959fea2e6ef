// FPGA netlists: what cells do, which nets are the fabric's, what is refused.
#include "hw/energy/fpga_netlist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace nbq::hw {
namespace {

using nlohmann::json;

/// A module of a clock (bit 2) and ports from bit 3 on.
class Module {
 public:
  std::vector<int> port(const std::string& name, int width, bool input) {
    std::vector<int> bits;
    for (int i = 0; i < width; ++i) bits.push_back(next_++);
    ports_[name] = {{"direction", input ? "input" : "output"}, {"bits", bits}};
    return bits;
  }
  void cell(const std::string& type, const json& parameters, const json& pins) {
    json connections = json::object();
    for (const auto& [pin, bits] : pins.items())
      connections[pin] = bits.is_array() ? bits : json::array({bits});
    cells_["c" + std::to_string(cells_.size())] = {
        {"type", type}, {"parameters", parameters}, {"connections", connections}};
  }
  Result<FpgaNetlist> read() {
    ports_["clk"] = {{"direction", "input"}, {"bits", {2}}};
    const json all = {{"modules", {{"top", {{"ports", ports_}, {"cells", cells_}}}}}};
    return read_fpga_netlist(all.dump(), "top", "clk");
  }
  int bit() { return next_++; }

 private:
  json ports_ = json::object(), cells_ = json::object();
  int next_ = 3;
};

void drive(GateSim& sim, const std::vector<int>& nets, std::int64_t value) {
  for (std::size_t i = 0; i < nets.size(); ++i) sim.set(nets[i], ((value >> i) & 1) != 0);
}
std::int64_t read(const GateSim& sim, const std::vector<int>& nets) {
  std::int64_t v = 0;
  for (std::size_t i = 0; i < nets.size(); ++i) v |= std::int64_t{sim.value(nets[i])} << i;
  return v;
}

/// Steps the blocks and the gates.
void step(GateSim& sim, std::vector<DspBlock>& dsps) {
  for (DspBlock& d : dsps) d.clock(sim);
  for (const DspBlock& d : dsps) d.drive(sim);
  sim.step(true);
}

/// Two bits of a + b in a CCU2C, registered; the register can be cleared.
Module adder() {
  Module m;
  const auto a = m.port("a", 2, true), b = m.port("b", 2, true), clear = m.port("clear", 1, true);
  const auto q = m.port("q", 2, false);
  const std::vector<int> sum = {m.bit(), m.bit()};
  const std::string add = "1001011010101010";  // 96AA: d = 1
  m.cell("CCU2C", {{"INIT0", add}, {"INIT1", add}, {"INJECT1_0", "NO"}, {"INJECT1_1", "NO"}},
         {{"CIN", "0"},
          {"A0", a[0]},
          {"B0", b[0]},
          {"C0", "0"},
          {"D0", "1"},
          {"A1", a[1]},
          {"B1", b[1]},
          {"C1", "0"},
          {"D1", "1"},
          {"S0", sum[0]},
          {"S1", sum[1]},
          {"COUT", json::array()}});
  for (std::size_t i = 0; i < 2; ++i)
    m.cell("TRELLIS_FF",
           {{"CEMUX", "1 "}, {"CLKMUX", "CLK"}, {"LSRMUX", "LSR"}, {"REGSET", "RESET"}},
           {{"CLK", 2}, {"LSR", clear[0]}, {"DI", sum[i]}, {"Q", q[i]}});
  return m;
}

TEST(FpgaNetlist, ACarryChainAddsAndItsSumStaysBesideItsRegister) {
  Module m = adder();
  auto f = m.read();
  ASSERT_TRUE(f.ok()) << f.error().message;
  EXPECT_EQ(f->luts, 2);
  EXPECT_EQ(f->carries, 2);
  EXPECT_EQ(f->gates.flip_flops, 2u);
  const auto& in = f->gates.inputs;
  const auto pins = [&](int net) { return f->fabric_pins[static_cast<std::size_t>(net)]; };
  EXPECT_EQ(pins(in.at("a")[0]), 1);
  EXPECT_EQ(pins(in.at("clear")[0]), 2);
  int all = 0;
  for (const int n : f->fabric_pins) all += n;
  EXPECT_EQ(all, 4 + 2);  // operands and clears; no sum, no carry
  const Electrical counters = f->counters();
  GateSim sim(f->gates, counters, 1000000);
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b) {
      drive(sim, in.at("a"), a);
      drive(sim, in.at("b"), b);
      sim.step(true);
      sim.step(true);
      EXPECT_EQ(read(sim, f->gates.outputs.at("q")), (a + b) & 3);
    }
  drive(sim, in.at("clear"), 1);
  sim.step(true);
  sim.step(true);
  EXPECT_EQ(read(sim, f->gates.outputs.at("q")), 0);
  // a: 3 steps of one, two or one bits; b: three for each a, and back between them; clear.
  EXPECT_EQ(sim.activity().loaded, (1 + 2 + 1) + 4 * (1 + 2 + 1) + 3 * 2 + 1);
}

TEST(FpgaNetlist, AMultiplierMultipliesThreeEdgesLater) {
  Module m;
  const auto a = m.port("a", 18, true), b = m.port("b", 18, true), p = m.port("p", 36, false);
  json pins = {{"CLK0", 2}, {"SIGNEDA", "1"}, {"SIGNEDB", "1"}};
  for (std::size_t i = 0; i < 18; ++i) {
    pins["A" + std::to_string(i)] = a[i];
    pins["B" + std::to_string(i)] = b[i];
  }
  for (std::size_t i = 0; i < 36; ++i) pins["P" + std::to_string(i)] = p[i];
  json parameters;
  for (const char* r : {"REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_PIPELINE_CLK", "REG_OUTPUT_CLK"})
    parameters[r] = "CLK0";
  m.cell("MULT18X18D", parameters, pins);
  auto f = m.read();
  ASSERT_TRUE(f.ok()) << f.error().message;
  ASSERT_EQ(f->dsps.size(), 1u);
  const Electrical counters = f->counters();
  GateSim sim(f->gates, counters, 1000000);
  const std::vector<std::pair<int, int>> operands = {{3, -5}, {-131072, 131071}, {-7, -9}, {0, 4}};
  const std::int64_t mask = (std::int64_t{1} << 36) - 1;
  for (std::size_t t = 0; t < operands.size() + 3; ++t) {
    if (t < operands.size()) {
      drive(sim, f->gates.inputs.at("a"), operands[t].first);
      drive(sim, f->gates.inputs.at("b"), operands[t].second);
    }
    step(sim, f->dsps);
    if (t >= 3) {
      const auto [x, y] = operands[t - 3];
      EXPECT_EQ(read(sim, f->gates.outputs.at("p")), std::int64_t{x} * y & mask) << t;
    }
  }
}

TEST(FpgaNetlist, RefusesWhatElementsDoNotUse) {
  Module unknown;
  unknown.cell("PFUMX", json::object(), json::object());
  Module clocked;
  const auto d = clocked.port("d", 1, true), q = clocked.port("q", 1, false);
  clocked.cell("FDRE", json::object(),
               {{"C", d[0]}, {"CE", "1"}, {"R", "0"}, {"D", d[0]}, {"Q", q[0]}});
  Module open;
  open.cell("LUT4", {{"INIT", "1000000000000000"}}, {{"A", 2}, {"Z", open.bit()}});
  for (auto& [m, says] : std::vector<std::pair<Module*, std::string>>{
           {&unknown, "PFUMX"}, {&clocked, "another clock"}, {&open, "a pin is open"}}) {
    const auto f = m->read();
    ASSERT_FALSE(f.ok());
    EXPECT_EQ(f.error().code, ErrorCode::kBadFile);
    EXPECT_THAT(f.error().message, ::testing::HasSubstr(says));
  }
  EXPECT_FALSE(read_fpga_netlist("{}", "top", "clk").ok());
  EXPECT_FALSE(read_fpga_netlist("no JSON", "top", "clk").ok());
}

}  // namespace
}  // namespace nbq::hw
