#include <algorithm>
#include <cctype>

#include "report/curves.h"
#include "report/heat.h"
#include "report/page.h"
#include "report/page_style.h"
#include "report/plot.h"
#include "report/roofline.h"
#include "report/table.h"

namespace nbq::report {
namespace {

/// A part of the page; without a body it is left out.
struct Section {
  const char *id, *title;
  std::string body;
};

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

std::string network_table(const DemoReport& report) {
  std::string out = table_start("Network", "network") + "<tbody>\n";
  for (const NetworkRow& r : network_rows(report)) {
    const bool wrong = r.label == "mismatches" && report.mismatches().value_or(0) > 0;
    const std::string note =
        r.note.empty() ? "" : "<span class=\"note\">" + escape(r.note) + "</span>";
    out += fmt::format("<tr{}><th scope=\"row\">{}{}</th>{}</tr>\n",
                       wrong ? " class=\"wrong\"" : "", escape(r.label), note, cell(r.value));
  }
  return out + kTableEnd;
}

std::string checks_table(const DemoReport& report) {
  if (!report.in.check) return "";
  std::string out = table_start("Checks", "checks") +
                    "<thead><tr><th scope=\"col\">nbq check</th><th scope=\"col\">images</th>"
                    "<th scope=\"col\">mismatches</th></tr></thead><tbody>\n";
  for (const Checked& c : report.in.check->executors)
    out += fmt::format("<tr{}><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
                       c.mismatches > 0 ? " class=\"wrong\"" : "", escape(c.name),
                       grouped(static_cast<double>(c.images)),
                       grouped(static_cast<double>(c.mismatches)));
  return out + kTableEnd +
         "<p class=\"small\">Images whose scores differ from the reference’s in any bit.</p>\n";
}

/// Figures that are drawn; HTML of each group's, empty for an empty group.
Result<std::vector<std::string>> figures_html(const std::vector<std::vector<Figure>>& groups,
                                              const std::vector<const char*>& grids) {
  std::vector<Plot> plots;
  for (const auto& figures : groups)
    for (const Figure& f : figures) plots.insert(plots.end(), f.plots.begin(), f.plots.end());
  NBQ_ASSIGN(const std::vector<std::string> svgs, draw(plots));
  std::vector<std::string> out;
  auto svg = svgs.begin();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::string& html = out.emplace_back();
    for (const Figure& f : groups[g]) {
      html += fmt::format("<figure><h3>{}</h3>\n", escape(f.heading));
      for (std::size_t i = 0; i < f.plots.size(); ++i) html += *svg++ + "\n";
      if (!f.caption.empty()) html += fmt::format("<figcaption>{}</figcaption>", escape(f.caption));
      html += "</figure>\n";
    }
    if (!html.empty()) html = fmt::format("<div class=\"{}\">\n{}</div>\n", grids[g], html);
  }
  return out;
}

/// `explanation` before a body that is there.
std::string after(const char* explanation, const std::string& body) {
  return body.empty() ? body : fmt::format("<p>{}</p>\n{}", explanation, body);
}

Result<std::vector<Section>> sections(const DemoReport& report) {
  const Inputs& in = report.in;
  const Training none;
  const Training& training = in.training ? *in.training : none;
  NBQ_ASSIGN(
      const std::vector<std::string> figures,
      figures_html({training_figures(training), weight_figures(training), roofline_figures(in)},
                   {"curves", "weights", "roofs"}));
  return std::vector<Section>{
      {"network", "Network", network_table(report) + checks_table(report)},
      {"arrays", "SVPE against VPE", arrays_body(report)},
      {"training", "Training", after("Over the epochs of all phases.", figures[0])},
      {"confusions", "Confusions",
       in.confusion() ? confusion_body(*in.confusion(), in.confusion_in_integers()) : ""},
      {"weights", "Weights",
       after("Above: distribution of a layer’s float weights when the quantised phase began "
             "(<span class=\"k1\">before</span>) and at its end (<span class=\"k2\">after</span>). "
             "Below: how many of the deployed weights have which level, an integer times the scale "
             "of layer or channel.",
             figures[1])},
      {"sensitivity", "Sensitivity", in.sensitivity ? sensitivity_body(*in.sensitivity) : ""},
      {"layers", "Layers", layers_body(report)},
      {"roofline", "Roofline",
       after("How fast each layer runs (up) against how much work it makes of what it reads "
             "(across); both scales are logarithmic. The line is what the machine can do.",
             figures[2])},
      {"cycles", "Cycles by cause", cycles_body(report)},
      {"energy", "Energy", energy_body(report)},
      {"missing", "Not measured", missing_body(report)}};
}

std::string section_html(const Section& s) {
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", s.id, s.title, s.body);
}

std::string header(const DemoReport& report, const std::vector<Section>& parts) {
  std::string lead;
  if (report.in.info)
    lead = fmt::format(
        "<p class=\"lead\">{}-bit power-of-two weights, {}-bit activations, integers only.</p>\n",
        report.in.info->weight_bits, report.in.info->act_bits);
  std::string out = fmt::format(
      "<header><h1>{}</h1>\n{}<p>What nbq’s commands measured of this network, from its training "
      "to "
      "the circuit that computes it.</p></header>\n<nav aria-label=\"Sections\"><ul>\n",
      escape(report.name()), lead);
  for (const Section& s : parts)
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", s.id, s.title);
  return out + "</ul></nav>\n";
}

}  // namespace

std::string upper(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

std::string cell(const std::string& value) {
  return fmt::format("<td{}>{}</td>", value == kNotMeasured ? " class=\"none\"" : "",
                     escape(value));
}

std::string table_start(const char* label, const char* css_class) {
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table "
      "class=\"{}\">",
      label, css_class);
}

Result<std::string> report_html(const DemoReport& report) {
  NBQ_ASSIGN(std::vector<Section> parts, sections(report));
  std::erase_if(parts, [](const Section& s) { return s.body.empty(); });
  // The policy has the browser refuse every request: nothing on the page may need the network.
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{} – nbq report</title>\n"
      "<style>\n{}</style>\n</head>\n<body>\n<main>\n{}",
      escape(report.name()), kPageStyle, header(report, parts));
  // The first two stand side by side where there is room.
  const bool pair = parts.size() > 1 && parts[1].id == std::string_view("arrays");
  if (pair) out += "<div class=\"halves\">";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out += section_html(parts[i]);
    if (pair && i == 1) out += "</div>\n";
  }
  const std::string json = report_json(report);
  return out + "<section><details><summary>report.json</summary>\n<pre tabindex=\"0\">" +
         escape(json) +
         "</pre></details></section>\n</main>\n<script type=\"application/json\" id=\"report\">\n" +
         script_safe(json) + "</script>\n</body>\n</html>\n";
}

}  // namespace nbq::report
