#pragma once
#include <string>

// For tests: a Liberty file whose figures can be added up by hand.
namespace nbq::hw {

inline std::string tiny_gate(const std::string& name, const std::string& inputs,
                             const std::string& function, double ns) {
  const std::string delay = std::to_string(ns);
  std::string cell = "  cell (" + name + ") {\n    area : 2;\n    cell_leakage_power : 3;\n";
  std::string arcs;
  for (const char c : inputs) {
    const std::string pin(1, c);
    cell += "    pin (" + pin + ") { direction : input; capacitance : 2; }\n";
    arcs +=
        "      internal_power () { related_pin : \"" + pin +
        "\"; rise_power (scalar) { values (\"4\"); } fall_power (scalar) { values (\"2\"); } }\n"
        "      timing () { related_pin : \"" +
        pin + "\"; cell_rise (scalar) { values (\"" + delay +
        "\"); } cell_fall (scalar) { values (\"" + delay +
        "\"); } rise_transition (scalar) { values (\"0.05\"); } "
        "fall_transition (scalar) { values (\"0.05\"); } }\n";
  }
  return cell + "    pin (Y) {\n      direction : output;\n      function : \"" + function +
         "\";\n" + arcs + "    }\n  }\n";
}

/// Loads in fF, energies in fJ: every input has 2 fF; an output takes 4 fJ to rise and 2 to fall.
/// At 2 V a net's transition takes 4 fJ for each pin on it. Delays: INV 10 ps, others 30 ps, the
/// flip-flop 50 ps; its clock takes 5 + 3 fJ inside.
inline std::string tiny_liberty() {
  return R"(/* made for tests */
library (tiny) {
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, ff);
  nom_voltage : 2.0;
  nom_temperature : 25;
  nom_process : 1;
  operating_conditions (usual) { process : 1; voltage : 2.0; temperature : 25; }
  default_operating_conditions : usual;
  default_wire_load : "none";
)" + tiny_gate("INV", "A", "!A", 0.01) +
         tiny_gate("BUF", "A", "A", 0.03) + tiny_gate("NAND2", "AB", "!(A B)", 0.03) +
         tiny_gate("NOR2", "AB", "(A + B)'", 0.03) + tiny_gate("XOR2", "AB", "A^B", 0.03) +
         tiny_gate("ODD_MUX", "ABS", "(S * A) + (!S * B)", 0.03) + R"(  cell (DFF) {
    area : 8;
    cell_leakage_power : 6;
    ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; }
    pin (CK) { direction : input; clock : true; capacitance : 1;
      internal_power () { rise_power (scalar) { values ("5"); } fall_power (scalar) { values ("3"); } }
    }
    pin (D) { direction : input; capacitance : 2;
      timing () { related_pin : "CK"; timing_type : setup_rising;
        rise_constraint (scalar) { values ("0.02"); } fall_constraint (scalar) { values ("0.02"); } }
    }
    pin (Q) { direction : output; function : "IQ";
      internal_power () { related_pin : "CK"; rise_power (scalar) { values ("6"); }
        fall_power (scalar) { values ("4"); } }
      timing () { related_pin : "CK"; timing_type : rising_edge;
        cell_rise (scalar) { values ("0.05"); } cell_fall (scalar) { values ("0.05"); }
        rise_transition (scalar) { values ("0.05"); } fall_transition (scalar) { values ("0.05"); } }
    }
  }
  cell (LATCH) {
    area : 6;
    latch (IQ, IQN) { enable : "E"; data_in : "D"; }
    pin (E) { direction : input; capacitance : 1; }
    pin (D) { direction : input; capacitance : 1; }
    pin (Q) { direction : output; function : "IQ"; }
  }
}
)";
}

}  // namespace nbq::hw
