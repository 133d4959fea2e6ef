#include "report/compare.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/log.h"

namespace nbq::report {
namespace {

using nlohmann::ordered_json;

ordered_json number(double v) { return std::isfinite(v) ? ordered_json(v) : ordered_json(nullptr); }

double mean_of(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return v.empty() ? kAbsent : sum / static_cast<double>(v.size());
}

std::string percent(double v) { return std::isfinite(v) ? fmt::format("{:.2f}", v) : "–"; }

double bits_per_weight(const ComparedRow& r) {
  return r.weights == 0
             ? kAbsent
             : 8.0 * static_cast<double>(r.weight_bytes) / static_cast<double>(r.weights);
}

/// With CSV's quotes; messages hold commas.
std::string cell(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) out += c == '"' ? "\"\"" : std::string(1, c == '\n' ? ' ' : c);
  return out + "\"";
}

std::string width(const ComparedRow& r) {
  return r.bits == 0 || r.bits >= 32 ? "32 (float)" : fmt::format("{}", r.bits);
}

}  // namespace

std::vector<double> ComparedRow::accuracies() const {
  std::vector<double> v;
  for (const ComparedRun& r : runs)
    if (std::isfinite(r.accuracy)) v.push_back(r.accuracy);
  return v;
}

double ComparedRow::mean() const { return mean_of(accuracies()); }

double ComparedRow::deviation() const {
  const std::vector<double> v = accuracies();
  if (v.size() < 2) return kAbsent;
  double squares = 0;
  for (const double x : v) squares += (x - mean()) * (x - mean());
  return std::sqrt(squares / static_cast<double>(v.size() - 1));
}

double ComparedRow::images_per_second() const {
  std::vector<double> v;
  for (const ComparedRun& r : runs)
    if (r.images_per_second > 0) v.push_back(r.images_per_second);
  return mean_of(v);
}

double Comparison::loss(const ComparedRow& row) const {
  std::vector<double> differences;
  for (const ComparedRun& r : row.runs)
    for (const ComparedRun& control : rows.front().runs)
      if (control.seed == r.seed && std::isfinite(control.accuracy) && std::isfinite(r.accuracy))
        differences.push_back(control.accuracy - r.accuracy);
  return mean_of(differences);
}

double Comparison::step_ratio(const ComparedRow& row) const {
  return rows.front().images_per_second() / row.images_per_second();
}

std::string compare_csv(const Comparison& c) {
  std::string out =
      "row,method,bits,activations,weight_bytes,seed,accuracy,images_per_second,seconds,run,"
      "error\n";
  for (const ComparedRow& r : c.rows)
    for (const ComparedRun& run : r.runs)
      out += fmt::format(
          "{},{},{},{},{},{},{},{:.6g},{:.6g},{},{}\n", r.label, r.name, r.bits, r.activations,
          r.weight_bytes, run.seed,
          std::isfinite(run.accuracy) ? fmt::format("{:.6g}", run.accuracy) : std::string(),
          run.images_per_second, run.seconds, cell(run.dir), cell(run.error));
  return out;
}

std::string compare_json(const Comparison& c) {
  ordered_json rows = ordered_json::array();
  for (const ComparedRow& r : c.rows) {
    ordered_json runs = ordered_json::array();
    for (const ComparedRun& run : r.runs)
      runs.push_back(
          {{"seed", run.seed},
           {"accuracy", number(run.accuracy)},
           {"images_per_second", run.images_per_second},
           {"seconds", run.seconds},
           {"run", run.dir},
           {"error", run.error.empty() ? ordered_json(nullptr) : ordered_json(run.error)}});
    rows.push_back({{"row", r.label},
                    {"method", r.name},
                    {"paper", r.paper},
                    {"bits", r.bits},
                    {"activations", r.activations},
                    {"weight_bytes", r.weight_bytes},
                    {"bits_per_weight", number(bits_per_weight(r))},
                    {"accuracy_mean", number(r.mean())},
                    {"accuracy_deviation", number(r.deviation())},
                    {"loss_against_float", number(c.loss(r))},
                    {"step_time_ratio", number(c.step_ratio(r))},
                    {"runs", runs}});
  }
  const ordered_json all = {
      {"name", c.name}, {"interrupted", c.interrupted}, {"seeds", c.seeds}, {"rows", rows}};
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string compare_md(const Comparison& c) {
  std::string out = fmt::format(
      "{}: accuracy in % of the test images at the last epoch, mean ± sample deviation over the "
      "seeds {}{}\n\n",
      c.name, fmt::join(c.seeds, ", "), c.interrupted ? " (not finished)" : "");
  out +=
      "| row | bits | activations | weight bytes | bits/weight | runs | accuracy | loss | step "
      "time "
      "|\n|---|---|---|---|---|---|---|---|---|\n";
  for (const ComparedRow& r : c.rows) {
    const std::size_t done = r.accuracies().size();
    const std::string spread =
        std::isfinite(r.deviation()) ? fmt::format(" ± {:.2f}", r.deviation()) : std::string();
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", r.label, width(r),
                       r.activations, r.weight_bytes, percent(bits_per_weight(r)),
                       done == r.runs.size() ? fmt::format("{}", done)
                                             : fmt::format("{} of {}", done, r.runs.size()),
                       percent(r.mean()) + spread, percent(c.loss(r)), percent(c.step_ratio(r)));
  }
  for (const ComparedRow& r : c.rows)
    for (const ComparedRun& run : r.runs)
      if (!run.error.empty())
        out += fmt::format("\n{}, seed {}: {}\n", r.label, run.seed, run.error);
  return out;
}

Plot compare_plot(const Comparison& c) {
  std::string tics, points, bars;
  const std::size_t n = c.rows.size();
  for (std::size_t i = 0; i < n; ++i) {
    const ComparedRow& r = c.rows[i];
    const std::size_t y = n - i;  // the first row on top
    tics += fmt::format("{}\"{}\" {}", i == 0 ? "" : ",", r.label, y);
    if (r.accuracies().empty()) continue;
    points += fmt::format("{:.6g} {}\n", r.mean(), y);
    if (std::isfinite(r.deviation()))
      bars += fmt::format("{:.6g} {} {:.6g}\n", r.mean(), y, r.deviation());
  }
  std::string plot = "plot $points using 1:2 with points pt 7 ps 0.5 lc rgb \"#000002\" notitle";
  if (!bars.empty())
    plot += ", $bars using 1:2:3 with xerrorbars pt 0 ps 0 lw 1.4 lc rgb \"#000002\" notitle";
  std::string line;
  if (const double control = c.rows.front().mean(); std::isfinite(control))
    line = fmt::format(
        "set arrow from {0:.6g},graph 0 to {0:.6g},graph 1 nohead dt 2 lc rgb \"#000001\"\n",
        control);
  return {560, 90 + 24 * static_cast<int>(n), 13, "Accuracy of each method",
          fmt::format("set border 1 lc rgb \"#000004\"\n"
                      "set tics nomirror scale 0.4 textcolor rgb \"#000006\"\n"
                      "set grid lt 1 lw 0.5 lc rgb \"#000005\"\nset yrange [0.5:{}.5]\n"
                      "set ytics ({})\nset offsets graph 0.04, graph 0.04, 0, 0\n"
                      "set xlabel \"% of the test images\" textcolor rgb \"#000006\"\n{}"
                      "$points << EOD\n{}EOD\n{}{}",
                      n, tics, line, points,
                      bars.empty() ? std::string() : "$bars << EOD\n" + bars + "EOD\n", plot)};
}

Status write_comparison(const Comparison& c, const std::string& dir) {
  const std::filesystem::path folder = dir;
  NBQ_TRY(write_file(folder / "compare.csv", compare_csv(c)));
  NBQ_TRY(write_file(folder / "compare.json", compare_json(c)));
  NBQ_TRY(write_file(folder / "compare.md", compare_md(c)));
  if (std::none_of(c.rows.begin(), c.rows.end(),
                   [](const ComparedRow& r) { return !r.accuracies().empty(); }))
    return ok_status();
  const auto drawn = draw({compare_plot(c)});
  if (!drawn.ok()) {
    log_warn("compare.svg is not drawn: {}", drawn.error().message);
    return ok_status();
  }
  return write_file(folder / "compare.svg", standalone_svg(drawn->front()));
}

}  // namespace nbq::report
