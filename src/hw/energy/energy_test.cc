#include "hw/energy/energy.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "hw/energy/liberty.h"
#include "hw/energy/tiny_library.h"

namespace nbq::hw {
namespace {

Result<CellLibrary> load(const std::string& text, const std::vector<std::string>& dont_use = {}) {
  return read_cell_library(text, "tiny.lib", dont_use);
}

TEST(ParseFunction, GivesTruthTables) {
  const std::vector<std::string> abc = {"A", "B", "C"};
  const auto table = [&](const std::string& f) { return parse_function(f, abc).value().table; };
  EXPECT_EQ(table("A"), 0xaau);
  EXPECT_EQ(table("!A"), 0x55u);
  EXPECT_EQ(table("A B' + C"), 0xf2u);
  EXPECT_EQ(table("A&B|!A&C"), 0xd8u);
  EXPECT_EQ(table("(A ^ B) ^ C"), 0x96u);
  EXPECT_EQ(table("(A*B) + (C*(A+B))"), 0xe8u);
  EXPECT_EQ(table("1"), 0xffu);
  for (const char* bad : {"", "A &", "(A", "A)", "D", "A # B", "!"})
    EXPECT_FALSE(parse_function(bad, abc).ok()) << bad;
  EXPECT_FALSE(parse_function(std::string(1000, '('), abc).ok());
}

TEST(LibertyTable, IsLinearBetweenAndBeyondItsPoints) {
  const LibertyTable t{{1, 2}, {10, 20, 40}, {1, 2, 3, 11, 12, 13}};
  EXPECT_DOUBLE_EQ(t.at(1, 10), 1);
  EXPECT_DOUBLE_EQ(t.at(1.5, 30), 7.5);
  EXPECT_DOUBLE_EQ(t.at(3, 0), 20);
  const LibertyTable by_slew{{1, 2}, {}, {5, 7}};
  EXPECT_DOUBLE_EQ(by_slew.at(1.5, 99), 6);
  EXPECT_DOUBLE_EQ(LibertyTable{}.at(1, 1), 0);
}

TEST(Liberty, ReadsCellsInTheirUnits) {
  const auto lib = load(tiny_liberty(), {"ODD_*"});
  ASSERT_TRUE(lib.ok()) << lib.error().message;
  EXPECT_EQ(lib->name, "tiny");
  EXPECT_DOUBLE_EQ(lib->voltage, 2);
  EXPECT_EQ(lib->cells.size(), 6u);  // without ODD_MUX and the latch
  EXPECT_EQ(lib->buffer, "BUF");
  EXPECT_EQ(lib->full_adder, "");
  const LibraryCell& nand = lib->cells.at("NAND2");
  EXPECT_EQ(nand.outputs.at(0).function.table, 0b0111u);
  EXPECT_DOUBLE_EQ(nand.input_pf.at(1), 0.002);
  EXPECT_DOUBLE_EQ(nand.outputs[0].energy[1].rise.at(0, 0), 0.004);
  EXPECT_DOUBLE_EQ(nand.leakage_w, 3e-9);
  const LibraryCell& dff = lib->cells.at("DFF");
  EXPECT_TRUE(dff.flip_flop);
  EXPECT_EQ(dff.inputs, std::vector<std::string>{"D"});
  EXPECT_EQ(dff.outputs.at(0).function.table, 0b10u);
  // Tools get the rest of the file, without what was left out.
  EXPECT_EQ(lib->text.find("ODD_MUX"), std::string::npos);
  EXPECT_EQ(lib->text.find("LATCH"), std::string::npos);
  EXPECT_EQ(lib->text.find("default_wire_load"), std::string::npos);
  EXPECT_TRUE(parse_liberty(lib->text, "again").ok());
}

TEST(Liberty, RefusesWhatIsBroken) {
  const std::string good = tiny_liberty();
  for (std::size_t cut : {std::size_t{0}, std::size_t{30}, good.size() / 2, good.size() - 4}) {
    const auto r = load(good.substr(0, cut));
    ASSERT_FALSE(r.ok()) << cut;
    EXPECT_EQ(r.error().code, ErrorCode::kBadFile);
  }
  const auto says = [&](const std::vector<std::string>& without, const std::string& what) {
    const auto r = load(good, without);
    ASSERT_FALSE(r.ok());
    EXPECT_NE(r.error().message.find(what), std::string::npos) << r.error().message;
  };
  says({"DFF"}, "flip-flop");
  says({"INV"}, "inverter");
  says({"NAND2", "NOR2", "XOR2"}, "gate of two inputs");
  std::string dark = good;
  for (const char* name : {"nom_voltage", "voltage : 2"})
    dark.replace(dark.find(name), 7, "weather");
  EXPECT_FALSE(load(dark).ok());
  EXPECT_FALSE(load("module m; endmodule").ok());
  EXPECT_FALSE(parse_liberty("library (x) {" + std::string(100, 'g') + "(a) {", "deep").ok());
}

/// A netlist as yosys writes it: ports clk (net 2), a (net 3), b (net 4) and the given cells.
std::string json(const std::string& cells) {
  return R"({"modules": {"top": {"ports": {
    "clk": {"direction": "input", "bits": [2]},
    "a": {"direction": "input", "bits": [3]},
    "b": {"direction": "input", "bits": [4]},
    "y": {"direction": "output", "bits": [9]}}, "cells": {)" +
         cells + "}}}}";
}
std::string cell(const std::string& name, const std::string& type, const std::string& pins) {
  return "\"" + name + R"(": {"type": ")" + type + R"(", "connections": {)" + pins + "}}";
}

struct Bench {
  CellLibrary library;
  Netlist netlist;
  Electrical electrical;
  explicit Bench(const std::string& cells, double wire_ff = 0)
      : library(load(tiny_liberty()).value()),
        netlist(read_netlist(json(cells), "top", "clk", library).value()),
        electrical(annotate(netlist, library, wire_ff)) {}
};

// a -> INV -> INV -> flip-flop -> y
const std::string kChain = cell("i1", "INV", R"("A": [3], "Y": [5])") + "," +
                           cell("i2", "INV", R"("A": [5], "Y": [6])") + "," +
                           cell("f", "DFF", R"("CK": [2], "D": [6], "Q": [9])");

TEST(GateSim, AnInverterChainTakesWhatOneAddsUpByHand) {
  Bench b(kChain);
  GateSim sim(b.netlist, b.electrical, 1000);
  const int a = b.netlist.inputs.at("a")[0], y = b.netlist.outputs.at("y")[0];
  for (const int v : {1, 0, 0, 1}) {  // three transitions; the last one comes too late for y
    sim.set(a, v != 0);
    sim.step(true);
  }
  EXPECT_FALSE(sim.value(y));
  const Activity& t = sim.activity();
  EXPECT_EQ(t.cycles, 4);
  // a, both inverters' outputs: 3 each; y: up and down.
  EXPECT_EQ(t.transitions, 3 * 3 + 2);
  EXPECT_EQ(t.settled_transitions, t.transitions);
  EXPECT_EQ(t.late, 0);
  // Each of the three loaded nets drives one pin of 2 fF: 2 fF * (2 V)^2 / 2 = 4 fJ.
  EXPECT_NEAR(t.all.nets, 9 * 0.004, 1e-12);
  // i1 falls, rises, falls; i2 the other way: 3 rises of 4 fJ, 3 falls of 2 fJ.
  EXPECT_NEAR(t.all.gates, 3 * 0.004 + 3 * 0.002, 1e-12);
  EXPECT_NEAR(t.all.registers, 0.006 + 0.004, 1e-12);
  EXPECT_NEAR(t.settled.total(), t.all.total(), 1e-12);
  EXPECT_NEAR(b.electrical.clock_inside_pj, 0.008, 1e-12);
  EXPECT_NEAR(b.electrical.clock_pins_pj, 0.004, 1e-12);
  EXPECT_NEAR(b.electrical.leakage_w, 12e-9, 1e-18);
  EXPECT_NEAR(b.netlist.area, 12, 1e-12);
}

TEST(GateSim, WiresAddTheirLoadToEveryPin) {
  Bench b(kChain, 3);
  EXPECT_NEAR(b.electrical.load_pf[static_cast<std::size_t>(b.netlist.inputs.at("a")[0])], 0.005,
              1e-12);
  EXPECT_NEAR(b.electrical.clock_pins_pj, 4 * 0.004, 1e-12);
}

TEST(GateSim, CountsGlitchesThatAreLongEnough) {
  // XOR of a and its own delayed copy: a pulse as long as the copy is late, at each change of a.
  const auto hazard = [](const std::string& type) {
    return cell("d", type, R"("A": [3], "Y": [5])") + "," +
           cell("x", "XOR2", R"("A": [3], "B": [5], "Y": [9])");
  };
  Bench shorter(hazard("INV"));  // 10 ps late, the XOR takes 30
  GateSim none(shorter.netlist, shorter.electrical, 1000);
  none.set(shorter.netlist.inputs.at("a")[0], true);
  none.step(true);
  EXPECT_EQ(none.activity().transitions, 2);

  // Two of 30 ps: long enough.
  Bench longer(cell("d", "BUF", R"("A": [3], "Y": [5])") + "," +
               cell("e", "BUF", R"("A": [5], "Y": [6])") + "," +
               cell("x", "XOR2", R"("A": [3], "B": [6], "Y": [9])"));
  GateSim some(longer.netlist, longer.electrical, 1000);
  some.set(longer.netlist.inputs.at("a")[0], true);
  some.step(true);
  EXPECT_EQ(some.activity().transitions, 3 + 2);
  EXPECT_EQ(some.activity().settled_transitions, 3);
  EXPECT_GT(some.activity().all.gates, some.activity().settled.gates);
  EXPECT_EQ(some.activity().late, 0);

  GateSim fast(longer.netlist, longer.electrical, 50);
  fast.set(longer.netlist.inputs.at("a")[0], true);
  fast.step(true);
  EXPECT_EQ(fast.activity().late, 2);  // the second buffer at 60 ps, the pulse's end at 90
}

TEST(Netlist, RefusesWhatItCannotSimulate) {
  const CellLibrary lib = load(tiny_liberty()).value();
  const auto refused = [&](const std::string& cells, const std::string& what) {
    const auto r = read_netlist(json(cells), "top", "clk", lib);
    ASSERT_FALSE(r.ok()) << what;
    EXPECT_NE(r.error().message.find(what), std::string::npos) << r.error().message;
  };
  refused(cell("u", "$_AND_", R"("A": [3], "Y": [9])"), "$_AND_");
  refused(cell("u", "NAND2", R"("A": [3], "Y": [9])"), "pin B of cell u");
  refused(cell("f", "DFF", R"("CK": [3], "D": [4], "Q": [9])"), "another clock");
  refused(
      cell("p", "INV", R"("A": [5], "Y": [6])") + "," + cell("q", "INV", R"("A": [6], "Y": [5])"),
      "loop");
  EXPECT_FALSE(read_netlist("{", "top", "clk", lib).ok());
  EXPECT_FALSE(read_netlist(json(""), "other", "clk", lib).ok());
  EXPECT_FALSE(read_netlist(json(""), "top", "tick", lib).ok());
}

TEST(ReportPower, ReadsTheTotals) {
  const auto p = parse_report_power(R"(worst slack 7.05
Group                  Internal  Switching    Leakage      Total
                          Power      Power      Power      Power
----------------------------------------------------------------
Sequential             8.54e-06   5.35e-09   8.44e-12   8.54e-06  96.6%
Combinational          1.78e-07   1.23e-07   1.60e-11   3.00e-07   3.4%
----------------------------------------------------------------
Total                  8.71e-06   1.28e-07   2.44e-11   8.84e-06 100.0%
                          98.6%       1.4%       0.0%
)");
  ASSERT_TRUE(p.ok());
  EXPECT_DOUBLE_EQ(p->internal, 8.71e-6);
  EXPECT_DOUBLE_EQ(p->switching, 1.28e-7);
  EXPECT_DOUBLE_EQ(p->leakage, 2.44e-11);
  EXPECT_FALSE(parse_report_power("Total of nothing\n").ok());
}

TEST(Stimulus, RecomputesSums) {
  StimulusWindow w;
  w.valid = {1, 0, 1, 1, 1};
  w.last = {0, 0, 1, 0, 1};
  w.x = {1, 2, 9, 9, -3, 4, 5, 6, 0, 1};
  w.w = {1, -1, 7, 7, 2, 4, 1, 1, -4, 2};  // one output of two lanes
  // 1-2 + (-6+16) = 9; then 5+6 + 2 = 13, which is -3 in 4 bits.
  EXPECT_EQ(expected_sums(w, 2, 1, 4), (std::vector<std::int64_t>{0, 0, -7, -7, -3}));
  EXPECT_EQ(expected_sums(w, 2, 1, 20), (std::vector<std::int64_t>{0, 0, 9, 9, 13}));
}

TEST(Stimulus, DenseWeightsRoundToTheirCodes) {
  Stimulus s;
  s.lanes_in = 4;
  s.outputs = 1;
  s.max_weight = 4;
  s.windows.resize(1);
  for (int word = 0; word < 2; ++word)
    for (const std::int32_t v : {0, 1, -2, 4, 4, -4, 0, 2, 1, 1, 1, 1}) s.windows[0].w.push_back(v);
  const Stimulus d = with_dense_weights(s, 16, 7);
  const std::vector<std::int32_t>& w = d.windows[0].w;
  const double one = 1 << 12;  // 4 -> 2^14
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double v = w[i] / one, code = s.windows[0].w[i];
    EXPECT_LE(std::abs(w[i]), d.max_weight);
    if (code == 0) {
      EXPECT_LE(std::abs(v), 0.5);
    } else {
      EXPECT_GE(v / code, 0.499);
      EXPECT_LE(v / code, 1.5);
    }
  }
  // The same word is the same wherever it is used; another seed gives others.
  EXPECT_TRUE(std::equal(w.begin(), w.begin() + 12, w.begin() + 12));
  EXPECT_NE(with_dense_weights(s, 16, 8).windows[0].w, w);
  EXPECT_NE(w[8], w[9]);
  EXPECT_LE(d.max_weight, 32767);
  EXPECT_LE(with_dense_weights(s, 8, 7).max_weight, 127);
}

}  // namespace
}  // namespace nbq::hw
