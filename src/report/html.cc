#include <algorithm>
#include <cmath>

#include "report/curves.h"
#include "report/heat.h"
#include "report/page_style.h"
#include "report/plot.h"
#include "report/report.h"
#include "report/table.h"

namespace nbq::report {
namespace {

/// JSON inside <script>: '<' only occurs in strings, where \u003c means the same.
std::string script_safe(const std::string& json) {
  std::string out;
  for (const char c : json)
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

std::string cell(const std::string& value) {
  return fmt::format("<td{}>{}</td>", value == kNotMeasured ? " class=\"none\"" : "",
                     escape(value));
}

std::string network_table(const DemoReport& report) {
  std::string out = "<div class=\"scroll\"><table class=\"network\"><tbody>\n";
  for (const NetworkRow& r : network_rows(report)) {
    const bool wrong = r.label == "mismatches" && report.mismatches().value_or(0) > 0;
    out += fmt::format("<tr{}><th scope=\"row\">{}</th>{}<td class=\"note\">{}</td></tr>\n",
                       wrong ? " class=\"wrong\"" : "", escape(r.label), cell(r.value),
                       escape(r.note));
  }
  return out + "</tbody></table></div>\n";
}

std::string array_table(const DemoReport& report) {
  std::string out =
      "<div class=\"scroll\"><table><thead><tr><th></th><th scope=\"col\">SVPE</th>"
      "<th scope=\"col\">VPE</th></tr></thead>\n";
  std::string group;
  for (const ArrayRow& r : array_rows(report)) {
    if (r.group != group)
      out += fmt::format(
          "{}<tbody><tr class=\"group\"><th colspan=\"3\" scope=\"rowgroup\">{}</th></tr>\n",
          group.empty() ? "" : "</tbody>", escape(r.group));
    group = r.group;
    out += fmt::format("<tr><th scope=\"row\">{}</th>{}{}</tr>\n", escape(r.label), cell(r.svpe),
                       cell(r.vpe));
  }
  return out + "</tbody></table></div>\n";
}

struct Cause {
  const char *key, *label, *meaning;
  double cycles[2];
};

std::string cycles_section(const DemoReport& report) {
  const Simulation* sims[2] = {report.in.svpe.sim ? &*report.in.svpe.sim : nullptr,
                               report.in.vpe.sim ? &*report.in.vpe.sim : nullptr};
  if (sims[0] == nullptr && sims[1] == nullptr) return "";
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
  std::string out = "<section><h2>Cycles by cause</h2>\n<p>Mean of an image, from start to done. ";
  for (int i = 0; i < 2; ++i)
    if (sims[i] != nullptr)
      out += fmt::format("{}: {} × {} × {} lanes (in × out × pixels), {}-bit accumulators. ",
                         i == 0 ? "SVPE" : "VPE", sims[i]->lanes_in, sims[i]->lanes_out,
                         sims[i]->pixels, sims[i]->acc_bits);
  out += "</p>\n";
  for (int i = 0; i < 2; ++i) {
    if (sims[i] == nullptr) continue;
    out += fmt::format(
        "<div class=\"bar-row\"><span>{}</span><div class=\"bar\" aria-hidden=\"true\">",
        i == 0 ? "SVPE" : "VPE");
    // Shares of the longer array: bars of both compare.
    const double longest = std::max(sims[0] != nullptr ? sims[0]->cycles : 0,
                                    sims[1] != nullptr ? sims[1]->cycles : 0);
    for (const Cause& c : causes)
      if (c.cycles[i] > 0)
        out += fmt::format("<i class=\"c-{}\" style=\"width:{:.3f}%\"></i>", c.key,
                           std::min(100.0, 100 * c.cycles[i] / longest));
    out += "</div></div>\n";
  }
  out +=
      "<div class=\"scroll\"><table class=\"cycles\"><thead><tr><th></th><th "
      "scope=\"col\">SVPE</th>"
      "<th scope=\"col\">VPE</th><th scope=\"col\" class=\"note wide\">what it "
      "is</th></tr></thead><tbody>\n";
  for (const Cause& c : causes) {
    out += fmt::format("<tr><th scope=\"row\"><i class=\"key c-{}\"></i>{}</th>", c.key, c.label);
    for (int i = 0; i < 2; ++i)
      out +=
          cell(sims[i] == nullptr ? kNotMeasured
                                  : fmt::format("{} ({:.1f} %)", grouped(std::round(c.cycles[i])),
                                                100 * c.cycles[i] / sims[i]->cycles));
    out += fmt::format("<td class=\"note wide\">{}</td></tr>\n", c.meaning);
  }
  return out + "</tbody></table></div></section>\n";
}

std::string layers_section(const DemoReport& report) {
  if (!report.in.info || report.in.info->layers.empty()) return "";
  const ModelInfo& m = *report.in.info;
  std::string out = fmt::format(
      "<section><h2>Layers</h2>\n<p>{} parameters, {} multiply-accumulates an image.</p>\n"
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Layers\"><table "
      "class=\"layers\"><thead><tr>"
      "<th scope=\"col\">layer</th><th scope=\"col\" class=\"text\">op</th><th "
      "scope=\"col\">output</th>"
      "<th scope=\"col\">params</th><th scope=\"col\">code bytes</th><th "
      "scope=\"col\">MACs</th><th scope=\"col\">weight bits</th>"
      "<th scope=\"col\">act bits</th><th scope=\"col\">acc bits</th></tr></thead><tbody>\n",
      grouped(static_cast<double>(m.params)), grouped(static_cast<double>(m.macs)));
  const auto bits = [](std::int64_t b) { return b == 0 ? std::string("–") : fmt::format("{}", b); };
  for (const Layer& l : m.layers)
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td "
        "class=\"text\">{}</td><td>{}×{}×{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        escape(l.name), escape(l.op), l.shape[0], l.shape[1], l.shape[2],
        grouped(static_cast<double>(l.params)), bits(l.code_bytes),
        grouped(static_cast<double>(l.macs)), bits(l.weight_bits), bits(l.act_bits),
        bits(l.acc_bits));
  return out + "</tbody></table></div></section>\n";
}

std::string figures_html(const std::vector<Figure>& figures, const std::vector<std::string>& svgs,
                         std::size_t& next, const char* grid) {
  std::string out = fmt::format("<div class=\"{}\">\n", grid);
  for (const Figure& f : figures) {
    out += fmt::format("<figure><h3>{}</h3>\n", escape(f.heading));
    for (std::size_t i = 0; i < f.plots.size(); ++i) out += svgs[next++] + "\n";
    if (!f.caption.empty()) out += fmt::format("<figcaption>{}</figcaption>", escape(f.caption));
    out += "</figure>\n";
  }
  return out + "</div>\n";
}

Result<std::string> plots_html(const DemoReport& report) {
  if (!report.in.training) return std::string();
  const std::vector<Figure> curves = training_figures(*report.in.training);
  const std::vector<Figure> weights = weight_figures(*report.in.training);
  std::vector<Plot> plots;
  for (const auto* figures : {&curves, &weights})
    for (const Figure& f : *figures) plots.insert(plots.end(), f.plots.begin(), f.plots.end());
  NBQ_ASSIGN(const std::vector<std::string> svgs, draw(plots));
  std::string out;
  std::size_t next = 0;
  if (!curves.empty())
    out += "<section><h2>Training</h2>\n" + figures_html(curves, svgs, next, "curves") +
           "</section>\n";
  if (!weights.empty())
    out +=
        "<section><h2>Weights</h2>\n<p>Above: distribution of a layer’s float weights when the "
        "quantised phase "
        "began (<span class=\"k1\">before</span>) and at its end (<span "
        "class=\"k2\">after</span>). Below: how many "
        "of the deployed weights have which level, an integer times the scale of layer or "
        "channel.</p>\n" +
        figures_html(weights, svgs, next, "weights") + "</section>\n";
  return out;
}

std::string checks_note(const DemoReport& report) {
  if (!report.in.check) return "";
  std::string out =
      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">nbq check</th><th "
      "scope=\"col\">images</th>"
      "<th scope=\"col\">mismatches</th></tr></thead><tbody>\n";
  for (const Checked& c : report.in.check->executors)
    out += fmt::format("<tr{}><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
                       c.mismatches > 0 ? " class=\"wrong\"" : "", escape(c.name),
                       grouped(static_cast<double>(c.images)),
                       grouped(static_cast<double>(c.mismatches)));
  return out + "</tbody></table></div>\n";
}

std::string accelerator_section(const DemoReport& report) {
  const auto any = [](const Array& a) { return a.sim || a.xcup || a.ecp5; };
  if (!any(report.in.svpe) && !any(report.in.vpe)) return "";
  return "<section><h2>Accelerator</h2>\n" + array_table(report) +
         "<p class=\"small\">Images/s is the stated clock over the compute cycles; loading the "
         "image and reading the logits (load cycles) comes on top unless it overlaps. Cells are "
         "yosys counts after mapping, before placement.</p></section>\n";
}

}  // namespace

Result<std::string> report_html(const DemoReport& report) {
  NBQ_ASSIGN(const std::string plots, plots_html(report));
  const std::string name = escape(report.name());
  std::string lead;
  if (report.in.info)
    lead = fmt::format(
        "<p class=\"lead\">{}-bit power-of-two weights, {}-bit activations, integers only.</p>\n",
        report.in.info->weight_bits, report.in.info->act_bits);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0} – nbq report</title>\n"
      "<style>\n{1}</style>\n</head>\n<body>\n<main>\n<header><h1>{0}</h1>\n{2}</header>\n",
      name, kPageStyle, lead);
  out += "<div class=\"halves\"><section><h2>Network</h2>\n" + network_table(report) +
         checks_note(report) + "</section>\n" + accelerator_section(report) + "</div>\n";
  out += plots;
  if (report.in.training) out += confusion_section(*report.in.training);
  if (report.in.sensitivity) out += sensitivity_section(*report.in.sensitivity);
  out += cycles_section(report) + layers_section(report);
  out += "<section><details><summary>report.json</summary>\n<pre>" + escape(report_json(report)) +
         "</pre></details></section>\n</main>\n<script type=\"application/json\" id=\"report\">\n" +
         script_safe(report_json(report)) + "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace nbq::report
