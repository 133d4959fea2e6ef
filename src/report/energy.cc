#include <algorithm>

#include "report/page.h"
#include "report/plot.h"
#include "report/table.h"

namespace nbq::report {
namespace {

std::string name_of(const ArrayEnergy& a) {
  if (a.pe == "svpe") return "SVPE";
  return fmt::format("{} {}, {}", upper(a.pe), a.mult_bits,
                     a.dense ? fmt::format("{}-bit weights", a.mult_bits) : "the same weights");
}

struct Part {
  const char *key, *label;
  double ArrayEnergy::*pj;
};
constexpr Part kParts[] = {{"clock", "clock pins", &ArrayEnergy::clock},
                           {"registers", "registers", &ArrayEnergy::registers},
                           {"gates", "gates", &ArrayEnergy::gates},
                           {"nets", "nets", &ArrayEnergy::nets},
                           {"leakage", "leakage", &ArrayEnergy::leakage}};

/// A bar an array, as long as its energy and split into its parts.
std::string bars(const std::vector<ArrayEnergy>& arrays) {
  double most = 0;
  for (const ArrayEnergy& a : arrays) most = std::max(most, a.pj_per_mac);
  std::string out = "<div class=\"energy-bars\" aria-hidden=\"true\">\n";
  for (const ArrayEnergy& a : arrays) {
    double sum = 0;
    for (const Part& p : kParts) sum += a.*p.pj;
    out += fmt::format("<span>{}</span><div class=\"bar\">", escape(name_of(a)));
    for (const Part& p : kParts)
      if (sum > 0 && most > 0)
        out += fmt::format("<i class=\"e-{}\" style=\"width:{:.2f}%\"></i>", p.key,
                           100 * a.pj_per_mac / most * (a.*p.pj) / sum);
    out += "</div>\n";
  }
  out += "</div>\n<p class=\"small\">Energy of a multiply-accumulate by where it goes:";
  for (const Part& p : kParts) out += fmt::format(" <i class=\"key e-{}\"></i>{}", p.key, p.label);
  return out + ".</p>\n";
}

std::string row(const ArrayEnergy& a) {
  const std::string ratio = a.power_ratio ? fmt::format("{:.1f} %", 100 * *a.power_ratio) : "–";
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td>{:.3g}</td><td>{:.3g}</td><td>{:.1f} "
      "%</td><td>{:.3g}</td><td>{:.3g}</td><td>{}</td><td>{}</td></tr>\n",
      escape(name_of(a)), a.pj_per_mac, a.settled_pj_per_mac, 100 * a.standard_error,
      a.uj_per_image, a.array_mw,
      grouped(static_cast<double>(static_cast<std::int64_t>(a.area_per_lane))), ratio);
}

}  // namespace

std::string energy_body(const DemoReport& report) {
  if (!report.in.energy) return "";
  const Energy& e = *report.in.energy;
  std::string out = fmt::format(
      "<p>Both arrays, {} lanes, in the standard cells of {} ({:g} V) at {:g} MHz: gates and "
      "registers of an array’s part are simulated with the operands that {} image{} of this "
      "network bring{}, in {} windows of {} cycles. An operation is a useful multiply-accumulate "
      "(MAC). ± is the standard error over the windows.</p>\n",
      grouped(static_cast<double>(e.lanes)), escape(e.library), e.voltage, e.clock_mhz, e.images,
      e.images == 1 ? "" : "s", e.images == 1 ? "s" : "", e.windows, e.window_cycles);
  out += bars(e.arrays) + table_start("Energy", "layers") +
         "<thead><tr><th scope=\"col\">array</th><th scope=\"col\">pJ/MAC</th><th "
         "scope=\"col\">without glitches</th><th scope=\"col\">±</th><th scope=\"col\">µJ an "
         "image</th><th scope=\"col\">mW</th><th scope=\"col\">µm² a lane</th><th "
         "scope=\"col\">SVPE’s power : this</th></tr></thead><tbody>\n";
  for (const ArrayEnergy& a : e.arrays) out += row(a);
  return out + kTableEnd +
         fmt::format(
             "<p class=\"small\">“The same weights”: the multipliers get this network’s powers of "
             "two, which leave most of them still; with n-bit weights they get what ordinary "
             "networks have. Left out: the clock’s tree, wires ({}), memories, operand registers, "
             "control and output stage. The netlist is not placed, and says little about an "
             "FPGA.</p>\n",
             e.wire_ff > 0 ? fmt::format("but for {:g} fF a pin", e.wire_ff)
                           : std::string("--wire-ff adds some"));
}

}  // namespace nbq::report
