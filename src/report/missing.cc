#include "report/page.h"
#include "report/plot.h"

namespace nbq::report {
namespace {

struct Input {
  bool there;
  const char *what, *command;
};

/// What eval.json would add.
const char* evaluation_of(const Inputs& in) {
  if (in.has_accuracy()) return "confusions";
  return in.confusion() != nullptr ? "accuracy" : "accuracy, confusions";
}

/// In the order of the page.
std::vector<Input> inputs_of(const Inputs& in) {
  return {
      {in.info.has_value(), "size, bits, layers", "nbq info MODEL.nbq --json > info.json"},
      {in.has_accuracy() && in.confusion() != nullptr, evaluation_of(in),
       "nbq eval MODEL.nbq --data DATA --confusion --json > eval.json"},
      {in.check.has_value(), "equality of all executors",
       "nbq check MODEL.nbq --data DATA --pe both --json > check.json"},
      {in.bench.has_value(), "speed on the CPU, its roofline",
       "nbq bench MODEL.nbq --layers --json > bench.json"},
      {in.svpe.sim.has_value(), "cycles of the SVPE array",
       "nbq sim MODEL.nbq --data DATA --pe svpe --json > sim_svpe.json"},
      {in.vpe.sim.has_value(), "cycles of the VPE array",
       "nbq sim MODEL.nbq --data DATA --pe vpe --json > sim_vpe.json"},
      {in.svpe.xcup.has_value(), "cells of the SVPE array, UltraScale+",
       "nbq synth MODEL.nbq --pe svpe --target xcup --json > synth_svpe_xcup.json"},
      {in.vpe.xcup.has_value(), "cells of the VPE array, UltraScale+",
       "nbq synth MODEL.nbq --pe vpe --target xcup --json > synth_vpe_xcup.json"},
      {in.svpe.ecp5.has_value(), "cells of the SVPE array, ECP5",
       "nbq synth MODEL.nbq --pe svpe --target ecp5 --json > synth_svpe_ecp5.json"},
      {in.vpe.ecp5.has_value(), "cells of the VPE array, ECP5",
       "nbq synth MODEL.nbq --pe vpe --target ecp5 --json > synth_vpe_ecp5.json"},
      {in.schedule() != nullptr, "cycles of the layers on a board’s engine",
       "nbq compile MODEL.nbq --board BOARD --json > compile.json"},
      {in.training.has_value(), "training, weights", "nbq train RECIPE.toml --run FOLDER/run"},
      {in.sensitivity.has_value(), "sensitivity of the layers",
       "nbq sensitivity RUN --json > sensitivity.json"},
      {in.energy.has_value(), "energy",
       "nbq energy MODEL.nbq --data DATA --liberty CELLS.lib --json > energy.json"},
  };
}

}  // namespace

std::string missing_body(const DemoReport& report) {
  std::string rows;
  for (const Input& i : inputs_of(report.in))
    if (!i.there)
      rows +=
          fmt::format("<tr><th scope=\"row\">{}</th><td class=\"text\"><code>{}</code></td></tr>\n",
                      i.what, escape(i.command));
  if (rows.empty()) return "";
  return "<p>This page shows what is in its folder. For the rest, run these there, then "
         "<code>nbq report</code> again.</p>\n" +
         table_start("Not measured", "missing") +
         "<thead><tr><th scope=\"col\">what</th><th scope=\"col\" class=\"text\">command</th>"
         "</tr></thead><tbody>\n" +
         rows + kTableEnd;
}

}  // namespace nbq::report
