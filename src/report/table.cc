#include "report/table.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace nbq::report {
namespace {

std::string percent(const std::optional<double>& v) {
  return v ? fmt::format("{:.2f} %", *v) : kNotMeasured;
}

/// "images/s at 250 MHz"; "images/s at 250, 200 MHz", each array at its own.
std::string images_label(const DemoReport& report) {
  if (report.clock_mhz) return fmt::format("images/s at {:g} MHz", *report.clock_mhz);
  if (!report.in.svpe.sim || !report.in.vpe.sim) return "images/s";
  return fmt::format("images/s at {:g}, {:g} MHz", report.in.svpe.sim->clock_mhz,
                     report.in.vpe.sim->clock_mhz);
}

/// What was compared with ref: "svpe rtl, vpe rtl on 100 images; trainer on 20".
std::string compared(const Inputs& in) {
  std::map<std::string, std::int64_t> images;
  if (in.check)
    for (const Checked& c : in.check->executors)
      if (c.name != "ref") images[c.name] = c.images;
  if (in.svpe.sim) images["svpe rtl"] = std::max(images["svpe rtl"], in.svpe.sim->images);
  if (in.vpe.sim) images["vpe rtl"] = std::max(images["vpe rtl"], in.vpe.sim->images);
  std::map<std::int64_t, std::vector<std::string>, std::greater<>> names;
  for (const auto& [name, n] : images) names[n].push_back(name);
  std::string out;
  for (const auto& [n, list] : names)
    out += fmt::format("{}{} on {}{}", out.empty() ? "" : "; ", fmt::join(list, ", "),
                       grouped(static_cast<double>(n)), out.empty() ? " images" : "");
  return out;
}

}  // namespace

std::string grouped(double v) {
  std::string s = std::floor(v) == v ? fmt::format("{:.0f}", v) : fmt::format("{:.1f}", v);
  const std::size_t point = std::min(s.find('.'), s.size());
  const std::size_t first = s[0] == '-' ? 1 : 0;
  for (std::size_t i = point; i > first + 3;) s.insert(i -= 3, ",");
  return s;
}

std::string printable(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are C2 80 to C2 9F in UTF-8; some terminals obey them.
    const bool c1 = c == 0xC2 && i + 1 < text.size() && (text[i + 1] & 0xE0) == 0x80;
    if (c1) text.erase(i, 1);
    if (c < 0x20 || c == 0x7F || c1) text[i] = '?';
  }
  return text;
}

std::string bits_word(const DemoReport& report) {
  return report.in.info ? fmt::format("{}-bit", report.in.info->weight_bits) : "n-bit";
}

std::vector<NetworkRow> network_rows(const DemoReport& report) {
  const Inputs& in = report.in;
  std::vector<NetworkRow> rows;
  rows.push_back(
      {"float accuracy", percent(in.training ? in.training->float_accuracy : std::nullopt), ""});
  NetworkRow nbit{bits_word(report) + " accuracy", kNotMeasured, ""};
  if (in.eval) {
    nbit.value = percent(in.eval->accuracy);
    nbit.note =
        fmt::format("in integers, {} of {} images", grouped(static_cast<double>(in.eval->correct)),
                    grouped(static_cast<double>(in.eval->images)));
  }
  if (!in.eval && in.training && in.training->nbit_accuracy) {
    nbit.value = percent(in.training->nbit_accuracy);
    nbit.note = "in integers, as the training measured it";
  }
  rows.push_back(nbit);
  NetworkRow as_float{"bytes as float32", kNotMeasured, ""},
      as_nbq{"bytes as .nbq", kNotMeasured, ""};
  if (in.info) {
    const auto f = static_cast<double>(in.info->float_bytes);
    const auto n = static_cast<double>(in.info->model_bytes);
    as_float.value = grouped(f);
    as_nbq.value = grouped(n);
    if (n > 0 && f > 0)
      as_nbq.note = f >= n ? fmt::format("{:.1f} times smaller", f / n)
                           : fmt::format("{:.1f} times larger", n / f);
  }
  rows.push_back(as_float);
  rows.push_back(as_nbq);
  NetworkRow wrong{"mismatches", kNotMeasured, ""};
  if (const auto m = report.mismatches()) {
    wrong.value = grouped(static_cast<double>(*m));
    wrong.note = compared(in);
  }
  rows.push_back(wrong);
  rows.push_back(
      {"training", in.training ? fmt::format("{:.1f} s", in.training->seconds) : kNotMeasured, ""});
  NetworkRow cpu{"CPU engine", kNotMeasured, ""};
  if (in.bench) {
    cpu.value = grouped(std::round(in.bench->images_per_s)) + " images/s";
    cpu.note = fmt::format("{} kernels, {} thread{}, {} image{} a call", in.bench->isa,
                           in.bench->threads, in.bench->threads == 1 ? "" : "s", in.bench->batch,
                           in.bench->batch == 1 ? "" : "s");
  }
  rows.push_back(cpu);
  return rows;
}

std::vector<ArrayRow> array_rows(const DemoReport& report) {
  using Value = std::optional<double>;
  using Show = std::string (*)(double);
  std::vector<ArrayRow> rows;
  const auto add = [&](const char* group, const std::string& label, bool compare, Show show,
                       const std::function<Value(const Array&)>& value) {
    const Value svpe = value(report.in.svpe), vpe = value(report.in.vpe);
    const auto shown = [&](Value v) { return v ? show(*v) : std::string(kNotMeasured); };
    ArrayRow& row = rows.emplace_back(ArrayRow{group, label, shown(svpe), shown(vpe), {}});
    if (compare && !report.arrays_differ() && svpe && vpe && *vpe > 0) row.ratio = *svpe / *vpe;
  };
  const auto sim = [&](const std::string& label, bool compare, Show show,
                       const std::function<double(const Simulation&)>& f) {
    add("simulated RTL", label, compare, show,
        [&](const Array& a) { return a.sim ? Value(f(*a.sim)) : std::nullopt; });
  };
  const Show whole = [](double v) { return grouped(std::round(v)); };
  sim("images", false, whole, [](const Simulation& s) { return static_cast<double>(s.images); });
  sim("cycles per image", true, whole, [](const Simulation& s) { return s.cycles; });
  sim("load cycles per image", true, whole, [](const Simulation& s) { return s.load; });
  sim(
      "array utilisation", false, [](double v) { return fmt::format("{:.1f} %", 100 * v); },
      [](const Simulation& s) { return s.utilisation; });
  add(
      "simulated RTL", images_label(report), true,
      [](double v) { return v >= 100 ? grouped(std::round(v)) : fmt::format("{:.2f}", v); },
      [&](const Array& a) { return report.images_per_s(a); });
  const auto cells = [&](const char* group, std::optional<Resources> Array::*target) {
    for (const auto& [label, field] :
         {std::pair{"LUT", &Resources::lut}, std::pair{"FF", &Resources::ff},
          std::pair{"DSP", &Resources::dsp}, std::pair{"BRAM", &Resources::bram}})
      add(group, label, true, grouped,
          [&, member = field](const Array& a) {  // clang 14 captures no structured binding
            return a.*target ? Value((*(a.*target)).*member) : std::nullopt;
          });
  };
  cells("UltraScale+ (yosys, xcup)", &Array::xcup);
  cells("ECP5 (yosys)", &Array::ecp5);
  return rows;
}

std::string text_table(const DemoReport& report) {
  const std::vector<NetworkRow> network = network_rows(report);
  const std::vector<ArrayRow> arrays = array_rows(report);
  std::size_t label = 0, value = 0;
  for (const NetworkRow& r : network) {
    label = std::max(label, r.label.size());
    value = std::max(value, r.value.size());
  }
  for (const ArrayRow& r : arrays) {
    label = std::max(label, r.label.size() + 2);
    value = std::max({value, r.svpe.size(), r.vpe.size()});
  }
  std::string out = report.name();
  if (report.in.info)
    out += fmt::format(", {}-bit weights, {}-bit activations", report.in.info->weight_bits,
                       report.in.info->act_bits);
  out += "\n\n";
  for (const NetworkRow& r : network) {
    out += fmt::format("{:<{}}  {:>{}}", r.label, label, r.value, value);
    if (!r.note.empty()) out += "  (" + printable(r.note) + ")";
    out += "\n";
  }
  out +=
      fmt::format("\n{:<{}}  {:>{}}  {:>{}}\n", "accelerator", label, "SVPE", value, "VPE", value);
  std::string group;
  for (const ArrayRow& r : arrays) {
    if (r.group != group) out += r.group + "\n";
    group = r.group;
    out +=
        fmt::format("{:<{}}  {:>{}}  {:>{}}\n", "  " + r.label, label, r.svpe, value, r.vpe, value);
  }
  return out;
}

}  // namespace nbq::report
