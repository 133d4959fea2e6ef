#include <algorithm>
#include <cmath>

#include "report/heat.h"
#include "report/page.h"
#include "report/plot.h"
#include "report/table.h"

namespace nbq::report {
namespace {

/// What the inputs say of one layer; nullptr: nothing.
struct LayerRow {
  std::string name;
  const Layer* info = nullptr;
  const LayerSensitivity* sensitivity = nullptr;
  const LayerCycles* cycles = nullptr;
};

LayerRow& row_of(std::vector<LayerRow>& rows, const std::string& name) {
  const auto it =
      std::find_if(rows.begin(), rows.end(), [&](const LayerRow& r) { return r.name == name; });
  return it != rows.end() ? *it : rows.emplace_back(LayerRow{name});
}

std::vector<LayerRow> layer_rows(const Inputs& in) {
  std::vector<LayerRow> rows;
  if (in.info)
    for (const Layer& l : in.info->layers) row_of(rows, l.name).info = &l;
  if (in.schedule() != nullptr)
    for (const LayerCycles& l : in.schedule()->layers) row_of(rows, l.name).cycles = &l;
  if (in.sensitivity)
    for (const LayerSensitivity& l : in.sensitivity->layers) row_of(rows, l.layer).sensitivity = &l;
  return rows;
}

constexpr const char* kNone = "<td>–</td>";

std::string positive(std::int64_t v) {
  return v == 0 ? kNone : fmt::format("<td>{}</td>", grouped(static_cast<double>(v)));
}

std::string info_cells(const Layer* l) {
  if (l == nullptr) return fmt::format("{0}{0}{0}{0}{0}{0}{0}{0}", kNone);
  return fmt::format("<td class=\"text\">{}</td><td>{}×{}×{}</td>{}{}{}{}{}{}", escape(l->op),
                     l->shape[0], l->shape[1], l->shape[2], positive(l->weight_bits),
                     positive(l->act_bits), positive(l->acc_bits), positive(l->params),
                     positive(l->code_bytes), positive(l->macs));
}

/// The rise of the loss at the most bits that were measured below the layer's own.
const BitsEffect* one_step_down(const LayerSensitivity& l) {
  const BitsEffect* best = nullptr;
  for (const BitsEffect& e : l.at)
    if (e.loss_rise && e.bits < l.base_bits && (best == nullptr || e.bits > best->bits)) best = &e;
  return best;
}

std::string sensitivity_cell(const LayerSensitivity* l, double most) {
  const BitsEffect* e = l != nullptr ? one_step_down(*l) : nullptr;
  if (e == nullptr) return kNone;
  return shaded(rise_share(*e->loss_rise, most), fmt::format("{:+.4f} at {} bit{}", *e->loss_rise,
                                                             e->bits, e->bits == 1 ? "" : "s"));
}

std::string cycle_cells(const LayerCycles* c, double all) {
  if (c == nullptr) return fmt::format("{0}{0}{0}", kNone);
  return fmt::format("<td>{}</td><td>{:.1f} %</td>{}", grouped(c->cycles),
                     all > 0 ? 100 * c->cycles / all : 0,
                     shaded(c->utilisation, fmt::format("{:.1f} %", 100 * c->utilisation), true));
}

struct Columns {
  bool info, sensitivity, cycles;
};

std::string heading(const Columns& columns, const Schedule* schedule) {
  std::string out = "<thead><tr><th scope=\"col\">layer</th>";
  if (columns.info)
    out +=
        "<th scope=\"col\" class=\"text\">op</th><th scope=\"col\">output</th><th "
        "scope=\"col\">weight bits</th><th scope=\"col\">act bits</th><th scope=\"col\">acc "
        "bits</th><th scope=\"col\">params</th><th scope=\"col\">code bytes</th><th "
        "scope=\"col\">MACs</th>";
  if (columns.sensitivity) out += "<th scope=\"col\">sensitivity</th>";
  if (columns.cycles)
    out += fmt::format(
        "<th scope=\"col\">{} cycles</th><th scope=\"col\">of all</th><th scope=\"col\">lanes "
        "used</th>",
        escape(upper(schedule->pe)));
  return out + "</tr></thead><tbody>\n";
}

std::string total(const Inputs& in, const Columns& columns, double cycles) {
  std::string out = "</tbody><tfoot><tr><th scope=\"row\">all</th>";
  if (columns.info) {
    std::int64_t bytes = 0;
    for (const Layer& l : in.info->layers) bytes += l.code_bytes;
    out += fmt::format("<td></td><td></td><td></td><td></td><td></td>{}{}{}",
                       positive(in.info->params), positive(bytes), positive(in.info->macs));
  }
  if (columns.sensitivity) out += "<td></td>";
  if (columns.cycles) {
    double useful = 0;
    for (const LayerCycles& l : in.schedule()->layers) useful += l.utilisation * l.cycles;
    out += fmt::format("<td>{}</td><td></td><td>{:.1f} %</td>", grouped(cycles),
                       cycles > 0 ? 100 * useful / cycles : 0);
  }
  return out + "</tr></tfoot></table></div>\n";
}

std::string explanation(const Inputs& in, const Columns& columns) {
  std::string out = "<p>";
  if (columns.info)
    out +=
        "Bits of the weights’ codes, the activations and the accumulators (proved wide enough); a "
        "MAC is a multiply-accumulate, for one image. ";
  if (columns.sensitivity)
    out +=
        "Sensitivity: what the loss rises by when the layer’s weights alone have that many bits, "
        "without learning. ";
  if (columns.cycles) {
    const Schedule& s = *in.schedule();
    out += fmt::format(
        "Cycles of a run of {} image{} on {} × {} × {} lanes (in × out × pixels), as the compiler "
        "counts them{}; an addition is done with the convolution before it. "
        "Lanes used: useful products of all that the lanes could make in that time. ",
        s.images_at_once, s.images_at_once == 1 ? "" : "s", s.lanes_in, s.lanes_out, s.pixels,
        s.axi_bits == 0 ? " and the RTL takes them" : ", within 1 % of the RTL’s");
  }
  std::string absent;
  for (const auto& [there, name] : {std::pair{columns.info, "bits, bytes and MACs"},
                                    std::pair{columns.sensitivity, "sensitivity"},
                                    std::pair{columns.cycles, "cycles and lanes used"}})
    if (!there) absent += fmt::format("{}{}", absent.empty() ? "Not measured: " : ", ", name);
  if (!absent.empty()) out += "<span class=\"none\">" + absent + ".</span>";
  return out + "</p>\n";
}

}  // namespace

std::string layers_body(const DemoReport& report) {
  const Inputs& in = report.in;
  const std::vector<LayerRow> rows = layer_rows(in);
  if (rows.empty()) return "";
  const Schedule* schedule = in.schedule();
  const Columns columns{in.info.has_value(), in.sensitivity && !in.sensitivity->layers.empty(),
                        schedule != nullptr && !schedule->layers.empty()};
  double cycles = 0, most = 0;
  if (columns.cycles)
    for (const LayerCycles& l : schedule->layers) cycles += l.cycles;
  for (const LayerRow& r : rows)
    if (r.sensitivity != nullptr)
      if (const BitsEffect* e = one_step_down(*r.sensitivity)) most = std::max(most, *e->loss_rise);
  std::string out =
      explanation(in, columns) + table_start("Layers", "layers") + heading(columns, schedule);
  for (const LayerRow& r : rows) {
    out += "<tr><th scope=\"row\">" + escape(r.name) + "</th>";
    if (columns.info) out += info_cells(r.info);
    if (columns.sensitivity) out += sensitivity_cell(r.sensitivity, most);
    if (columns.cycles) out += cycle_cells(r.cycles, cycles);
    out += "</tr>\n";
  }
  return out + total(in, columns, cycles);
}

}  // namespace nbq::report
