#include <algorithm>
#include <cmath>

#include "report/page.h"
#include "report/plot.h"
#include "report/table.h"

namespace nbq::report {
namespace {

/// Two bars, the longer one as wide as the cell.
std::string ratio_cell(const std::optional<double>& ratio) {
  if (!ratio) return "<td></td>";
  const double svpe = std::min(1.0, *ratio);
  const double vpe = *ratio > 1 ? 1 / *ratio : 1;
  return fmt::format(
      "<td class=\"ratio\">{:.1f} %<span class=\"pair\" aria-hidden=\"true\"><i class=\"svpe\" "
      "style=\"width:{:.1f}%\"></i><i class=\"vpe\" style=\"width:{:.1f}%\"></i></span></td>",
      100 * *ratio, 100 * svpe, 100 * vpe);
}

struct Cause {
  const char *key, *label, *meaning;
  double cycles[2];
};

std::vector<Cause> causes_of(const Simulation* const (&sims)[2]) {
  std::vector<Cause> causes = {
      {"busy", "busy", "the array took a tap", {}},
      {"residual", "residual", "fetching residual words", {}},
      {"drain", "drain", "waiting for the output stage", {}},
      {"barrier", "barrier", "waiting at a barrier for results still under way", {}},
      {"fetch", "fetch", "waiting for the next instruction", {}},
      {"other", "other", "handing an instruction over", {}}};
  for (int i = 0; i < 2; ++i) {
    if (sims[i] == nullptr) continue;
    const Simulation& s = *sims[i];
    const double by[] = {s.busy, s.residual, s.drain, s.barrier, s.fetch};
    double rest = s.cycles;
    for (std::size_t c = 0; c < 5; ++c) {
      causes[c].cycles[i] = by[c];
      rest -= by[c];
    }
    causes[5].cycles[i] = std::max(0.0, rest);
  }
  return causes;
}

std::string cause_bar(const char* name, const std::vector<Cause>& causes, int i, double longest) {
  std::string out = fmt::format(
      "<div class=\"bar-row\"><span>{}</span><div class=\"bar\" aria-hidden=\"true\">", name);
  for (const Cause& c : causes)
    if (c.cycles[i] > 0)
      out += fmt::format("<i class=\"c-{}\" style=\"width:{:.3f}%\"></i>", c.key,
                         std::min(100.0, 100 * c.cycles[i] / longest));
  return out + "</div></div>\n";
}

/// "8×8×4 at 250 MHz"; the lanes as well, where images at once multiply them.
std::string shape_of(const DemoReport& report, const Array& a) {
  const Simulation& s = *a.sim;
  const std::int64_t of_an_image = s.lanes_in * s.lanes_out * s.pixels;
  return fmt::format("{}×{}×{}{} at {:g} MHz", s.lanes_in, s.lanes_out, s.pixels,
                     s.lanes == of_an_image ? "" : fmt::format(" ({} lanes)", s.lanes),
                     *report.clock_of(a));
}

/// What is known of how the arrays compare.
std::string likeness(const DemoReport& report) {
  const Array &svpe = report.in.svpe, &vpe = report.in.vpe;
  if (!svpe.sim || !vpe.sim) return "";
  if (report.arrays_differ())
    return fmt::format("The arrays differ: {} against {}. ", shape_of(report, svpe),
                       shape_of(report, vpe));
  const bool memories = !svpe.sim->depths.empty() && svpe.sim->depths == vpe.sim->depths;
  return fmt::format("Two arrays alike in lanes and clock{}. ",
                     memories ? ", with memories of the same depth" : "");
}

}  // namespace

std::string arrays_body(const DemoReport& report) {
  const auto any = [](const Array& a) { return a.sim || a.xcup || a.ecp5; };
  if (!any(report.in.svpe) && !any(report.in.vpe)) return "";
  std::string out = "<p>" + likeness(report) +
                    "The SVPE’s elements shift by the codes, the VPE’s multiply.</p>\n" +
                    table_start("SVPE against VPE", "arrays") +
                    "<thead><tr><th></th><th scope=\"col\"><i class=\"key svpe\"></i>SVPE</th>"
                    "<th scope=\"col\"><i class=\"key vpe\"></i>VPE</th>"
                    "<th scope=\"col\">SVPE : VPE</th></tr></thead>\n<tbody>";
  std::string group;
  for (const ArrayRow& r : array_rows(report)) {
    if (r.group != group)
      out +=
          fmt::format("{}<tr class=\"group\"><th colspan=\"4\" scope=\"rowgroup\">{}</th></tr>\n",
                      group.empty() ? "" : "</tbody><tbody>", escape(r.group));
    group = r.group;
    out += fmt::format("<tr><th scope=\"row\">{}</th>{}{}{}</tr>\n", escape(r.label), cell(r.svpe),
                       cell(r.vpe), ratio_cell(r.ratio));
  }
  return out + kTableEnd +
         "<p class=\"small\">Images/s is the stated clock, an assumption, over the compute cycles; "
         "load cycles (image in, logits out) come on top unless they overlap. Cells are yosys’s "
         "counts after mapping, before placement.</p>\n";
}

std::string cycles_body(const DemoReport& report) {
  const Simulation* const sims[2] = {report.in.svpe.sim ? &*report.in.svpe.sim : nullptr,
                                     report.in.vpe.sim ? &*report.in.vpe.sim : nullptr};
  if (sims[0] == nullptr && sims[1] == nullptr) return "";
  constexpr const char* kNames[2] = {"SVPE", "VPE"};
  const std::vector<Cause> causes = causes_of(sims);
  std::string out = "<p>Mean of an image, from start to done. ", bars;
  // Shares of the longer array: bars of both compare.
  const double longest =
      std::max(sims[0] != nullptr ? sims[0]->cycles : 0, sims[1] != nullptr ? sims[1]->cycles : 0);
  for (int i = 0; i < 2; ++i) {
    if (sims[i] == nullptr) continue;
    out +=
        fmt::format("{}: {} × {} × {} lanes (in × out × pixels), {}-bit accumulators. ", kNames[i],
                    sims[i]->lanes_in, sims[i]->lanes_out, sims[i]->pixels, sims[i]->acc_bits);
    bars += cause_bar(kNames[i], causes, i, longest);
  }
  out += "</p>\n" + bars + table_start("Cycles by cause", "cycles") +
         "<thead><tr><th></th><th scope=\"col\">SVPE</th><th scope=\"col\">VPE</th>"
         "<th scope=\"col\" class=\"note wide\">what it is</th></tr></thead><tbody>\n";
  for (const Cause& c : causes) {
    out += fmt::format("<tr><th scope=\"row\"><i class=\"key c-{}\"></i>{}</th>", c.key, c.label);
    for (int i = 0; i < 2; ++i)
      out +=
          cell(sims[i] == nullptr ? kNotMeasured
                                  : fmt::format("{} ({:.1f} %)", grouped(std::round(c.cycles[i])),
                                                100 * c.cycles[i] / sims[i]->cycles));
    out += fmt::format("<td class=\"note wide\">{}</td></tr>\n", c.meaning);
  }
  return out + kTableEnd;
}

}  // namespace nbq::report
