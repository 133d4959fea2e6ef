#include "report/inputs_hardware.h"

#include "report/json_fields.h"

namespace nbq::report {

using nlohmann::json;

Simulation simulation(const json& j) {
  Simulation s;
  s.lanes_in = count_of(j, "lanes_in");
  s.lanes_out = count_of(j, "lanes_out");
  s.pixels = count_of(j, "pixels");
  s.lanes = count_of(j, "lanes");
  s.acc_bits = count_of(j, "acc_bits");
  for (const char* key : {"act_depth", "weight_depth", "param_depth", "result_depth"})
    if (j.contains(key)) s.depths.push_back(count_of(j, key));
  s.clock_mhz = amount(j, "clock_mhz");
  s.images = count_of(j, "images");
  s.mismatches = count_of(j, "mismatches");
  s.cycles = amount(j, "cycles_per_image");
  s.busy = amount(j, "busy_cycles_per_image");
  s.residual = amount(j, "residual_cycles_per_image");
  s.drain = amount(j, "drain_cycles_per_image");
  s.barrier = amount(j, "barrier_cycles_per_image");
  s.fetch = amount(j, "fetch_cycles_per_image");
  s.load = amount(j, "load_cycles_per_image");
  s.utilisation = amount(j, "utilisation");
  s.accuracy = maybe_number(j, "accuracy");
  if (s.cycles <= 0) throw BadInput("\"cycles_per_image\" is 0");
  if (s.clock_mhz <= 0) throw BadInput("\"clock_mhz\" is 0");
  if (j.contains("layers")) s.schedule = schedule(j);
  return s;
}

Schedule schedule(const json& j) {
  Schedule s;
  s.pe = text(j, "pe");
  s.lanes_in = small_of(j, "lanes_in");
  s.lanes_out = small_of(j, "lanes_out");
  s.pixels = small_of(j, "pixels");
  s.images_at_once = small_of(j, "images_at_once");
  if (j.contains("act_digits")) s.act_digits = small_of(j, "act_digits");
  if (j.contains("axi_bits")) s.axi_bits = small_of(j, "axi_bits");
  if (s.lanes_in < 1 || s.lanes_out < 1 || s.pixels < 1 || s.images_at_once < 1 || s.act_digits < 1)
    throw BadInput("an array without lanes");
  for (const json& l : list(j, "layers"))
    s.layers.push_back({text(l, "name"), count_of(l, "macs"), amount(l, "cycles"),
                        amount(l, "busy_cycles"), amount(l, "utilisation")});
  return s;
}

Resources resources(const json& j) {
  return {amount(j, "lut"), amount(j, "ff"), amount(j, "dsp"), amount(j, "bram")};
}

namespace {

ArrayEnergy array_energy(const json& j) {
  ArrayEnergy a;
  a.pe = text(j, "pe");
  a.mult_bits = count_of(j, "mult_bits");
  a.pj_per_mac = amount(j, "pj_per_mac");
  a.settled_pj_per_mac = amount(j, "pj_per_mac_without_glitches");
  a.uj_per_image = amount(j, "uj_per_image");
  a.array_mw = amount(j, "array_mw");
  a.standard_error = amount(j, "standard_error");
  const double slice = amount(j, "slice_lanes");
  if (slice < 1) throw BadInput("\"slice_lanes\" is 0");
  a.area_per_lane = amount(j, "area") / slice;
  const json& parts = member(j, "pj_per_cycle");
  a.nets = amount(parts, "nets");
  a.gates = amount(parts, "gates");
  a.registers = amount(parts, "registers");
  a.clock = amount(parts, "clock");
  a.leakage = amount(parts, "leakage");
  return a;
}

}  // namespace

Energy energy(const json& j) {
  Energy e;
  e.library = text(j, "library");
  e.voltage = amount(j, "voltage");
  e.clock_mhz = amount(j, "clock_mhz");
  e.wire_ff = amount(j, "wire_ff");
  e.lanes = count_of(j, "lanes");
  e.images = count_of(j, "images");
  e.windows = count_of(j, "windows");
  e.window_cycles = count_of(j, "cycles_a_window");
  for (const char* key : {"svpe", "vpe16", "vpe16_dense", "vpe8", "vpe8_dense"}) {
    if (!j.contains(key)) continue;
    ArrayEnergy& a = e.arrays.emplace_back(array_energy(j.at(key)));
    a.dense = std::string_view(key).ends_with("_dense");
    if (j.contains("power_ratio")) a.power_ratio = maybe_number(j.at("power_ratio"), key);
  }
  if (e.arrays.empty()) throw BadInput("no array in it: neither \"svpe\" nor \"vpe16\"");
  return e;
}

CpuSpeed cpu_speed(const json& j) {
  CpuSpeed c;
  c.isa = text(j, "isa");
  c.threads = count_of(j, "threads");
  if (c.threads < 1) throw BadInput("\"threads\" is 0");
  c.batch = count_of(j, "batch");
  c.images_per_s = amount(j, "images_per_s");
  c.median_ms = amount(j, "median_ms");
  if (!j.contains("layers")) return c;
  c.peak_gmacs = amount(j, "peak_gmacs");
  c.memory_gbytes = amount(j, "memory_gbytes");
  if (c.peak_gmacs <= 0 || c.memory_gbytes <= 0) throw BadInput("a roof of 0");
  for (const json& l : list(j, "layers"))
    c.layers.push_back({text(l, "name"), amount(l, "us"), amount(l, "macs"), amount(l, "bytes")});
  return c;
}

}  // namespace nbq::report
