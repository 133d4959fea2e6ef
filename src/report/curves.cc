#include "report/curves.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace nbq::report {
namespace {

constexpr const char* kAxes =
    "set border 3 lc rgb \"#000004\"\nset tics nomirror scale 0.4 textcolor rgb \"#000006\"\n"
    "set grid ytics lt 1 lw 0.5 lc rgb \"#000005\"\nset key textcolor rgb \"#000000\"\n";

/// Letters only: kinds come from a file.
std::string letters(const std::string& s) {
  std::string out;
  for (const char c : s)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) out += c;
  return out.substr(0, 20);
}

struct Series {
  std::string title;
  int ink;
  std::function<std::optional<double>(const Epoch&)> value;
};

/// Dashed lines between the phases, and their kinds above.
std::string phase_marks(const std::vector<Epoch>& epochs) {
  std::string out;
  for (std::size_t first = 0; first < epochs.size();) {
    std::size_t end = first;
    while (end < epochs.size() && epochs[end].phase == epochs[first].phase) ++end;
    if (first > 0)
      out += fmt::format(
          "set arrow from {0}.5,graph 0 to {0}.5,graph 1 nohead dt 2 lc rgb \"#000006\"\n", first);
    const std::string kind = letters(epochs[first].kind);
    if (static_cast<double>(end - first) >= 0.2 * static_cast<double>(epochs.size()))
      out += fmt::format("set label \"{}\" at {},graph 1.06 center textcolor rgb \"#000006\"\n",
                         kind, static_cast<double>(first + end + 1) / 2);
    first = end;
  }
  return out;
}

/// A data block a series and the plot command; series without a value are left out. Lines break
/// where the phase changes.
Plot epoch_plot(const std::vector<Epoch>& epochs, const std::vector<Series>& series,
                const std::string& title, const std::string& commands) {
  std::string blocks, plot;
  for (std::size_t s = 0; s < series.size(); ++s) {
    std::string rows;
    int phase = epochs.front().phase;
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      if (epochs[i].phase != phase) rows += "\n";
      phase = epochs[i].phase;
      if (const auto v = series[s].value(epochs[i])) rows += fmt::format("{} {:.8g}\n", i + 1, *v);
    }
    if (rows.find_first_not_of('\n') == std::string::npos) continue;
    blocks += fmt::format("$s{} << EOD\n{}EOD\n", s, rows);
    plot +=
        fmt::format("{} $s{} using 1:2 with linespoints pt 7 ps {} lw 1.6 lc rgb \"#00000{}\" {}",
                    plot.empty() ? "plot" : ",", s, epochs.size() > 60 ? 0.15 : 0.3, series[s].ink,
                    series.size() > 1 ? "title \"" + series[s].title + "\"" : "notitle");
  }
  if (plot.empty()) return {};
  return {420, 270, 13, title,
          fmt::format(
              "{}set key at screen 0.5,0.05 center horizontal samplen 2\nset tmargin 2.2\nset "
              "bmargin 4.4\nset xrange [0.5:{}.5]\n"
              "set xtics autofreq\nset xlabel \"epoch\" textcolor rgb \"#000006\" offset 0,0.4\n"
              "{}{}{}{}",
              kAxes, epochs.size(), phase_marks(epochs), commands, blocks, plot)};
}

/// Fraction of the values per unit of weight, so that histograms over different ranges compare.
std::string density_rows(const Histogram& h) {
  const double width = (h.hi - h.lo) / static_cast<double>(h.counts.size());
  const double sum = std::max(1.0, std::accumulate(h.counts.begin(), h.counts.end(), 0.0));
  std::string rows;
  for (std::size_t i = 0; i < h.counts.size(); ++i)
    rows += fmt::format("{:.8g} {:.8g} {:.8g}\n", h.lo + (static_cast<double>(i) + 0.5) * width,
                        static_cast<double>(h.counts[i]) / sum / width, width);
  return rows;
}

Plot float_plot(const LayerWeights& w) {
  std::string blocks, plot;
  if (!w.before.counts.empty()) {
    blocks += "$b << EOD\n" + density_rows(w.before) + "EOD\n";
    plot =
        "plot $b using 1:2:3 with boxes fs solid 0.45 noborder lc rgb \"#000001\" title \"before\"";
  }
  if (!w.after.counts.empty()) {
    blocks += "$a << EOD\n" + density_rows(w.after) + "EOD\n";
    plot += std::string(plot.empty() ? "plot" : ",") +
            " $a using 1:2 with histeps lw 1.3 lc rgb \"#000002\" title \"after\"";
  }
  if (plot.empty()) return {};
  return {330, 150, 11, "float weights of " + w.layer,
          fmt::format("{}unset ytics\nset border 1\nset yrange [0:*]\nset xrange [*:*] noextend\n"
                      "set key top right samplen 1.5\n{}{}",
                      kAxes, blocks, plot)};
}

/// +-2^(k-1) -> +-k: places the levels evenly.
double level_place(std::int64_t level) {
  const auto size = static_cast<std::uint64_t>(std::abs(level));
  const auto k = static_cast<int>(std::bit_width(size));
  return level < 0 ? -k : k;
}

Plot level_plot(const LayerWeights& w) {
  if (w.levels.empty()) return {};
  double sum = 0, most = 0;
  for (const auto& [level, n] : w.levels) sum += static_cast<double>(n);
  std::string rows, tics;
  const double span = level_place(w.levels.back().first) - level_place(w.levels.front().first);
  const int every = span > 16 ? 4 : span > 10 ? 2 : 1;
  for (const auto& [level, n] : w.levels) {
    const double place = level_place(level),
                 share = sum > 0 ? 100 * static_cast<double>(n) / sum : 0;
    most = std::max(most, share);
    rows += fmt::format("{} {:.6g}\n", place, share);
    if (static_cast<int>(std::abs(place)) % every == 0)
      tics += fmt::format("{}\"{}\" {}", tics.empty() ? "" : ", ", level, place);
  }
  // Share above the bar, where the bars are few enough.
  const std::string labels =
      span <= 10
          ? ", $l using 1:2:(sprintf(\"%.0f %%\", $2)) with labels offset 0,0.5 textcolor rgb "
            "\"#000006\" font \",10\" notitle"
          : "";
  return {330, 150, 11, "levels of " + w.layer,
          fmt::format(
              "{}unset ytics\nset border 1\nset yrange [0:{:.6g}]\nset xrange [{}:{}]\n"
              "set xtics ({})\nset boxwidth 0.7\n$l << EOD\n{}EOD\n"
              "plot $l using 1:2 with boxes fs solid 0.75 noborder lc rgb \"#000002\" notitle{}",
              kAxes, std::max(most * 1.22, 1.0), level_place(w.levels.front().first) - 0.7,
              level_place(w.levels.back().first) + 0.7, tics, rows, labels)};
}

}  // namespace

std::vector<Figure> training_figures(const Training& t) {
  std::vector<Figure> figures;
  if (t.epochs.empty()) return figures;
  const auto add = [&](Figure f, Plot p) {
    if (p.commands.empty()) return;
    f.plots.push_back(std::move(p));
    figures.push_back(std::move(f));
  };
  double low = std::numeric_limits<double>::max(), high = 0;
  for (const Epoch& e : t.epochs)
    if (e.loss) {
      low = std::min(low, *e.loss);
      high = std::max(high, *e.loss);
    }
  const bool log_scale = low > 0 && high > 10 * low;
  add({"Loss",
       log_scale ? "Mean of the training steps, logarithmic scale." : "Mean of the training steps.",
       {}},
      epoch_plot(t.epochs, {{"loss", 1, [](const Epoch& e) { return e.loss; }}},
                 "training loss over the epochs",
                 log_scale ? "set logscale y\nset format y \"%g\"\n" : ""));

  double worst = 100, best = 0;
  for (const Epoch& e : t.epochs)
    for (const auto& v : {e.train_accuracy, e.validation_accuracy, e.test_accuracy})
      if (v) {
        worst = std::min(worst, *v);
        best = std::max(best, *v);
      }
  // The interesting part is the last points; the first epochs may start below the axis.
  const double floor = std::max(0.0, std::floor(std::max(worst, best - 25) / 5) * 5);
  add({"Accuracy",
       fmt::format(
           "Percent{}. Test accuracy in the quantised phase is that of the integer network.",
           floor > 0 ? fmt::format("; the axis begins at {:.0f}", floor) : ""),
       {}},
      epoch_plot(t.epochs,
                 {{"training", 1, [](const Epoch& e) { return e.train_accuracy; }},
                  {"validation", 3, [](const Epoch& e) { return e.validation_accuracy; }},
                  {"test", 2, [](const Epoch& e) { return e.test_accuracy; }}},
                 "accuracy over the epochs", fmt::format("set yrange [{}:100]\n", floor)));
  add({"Learning rate", "At each epoch’s last step, logarithmic scale.", {}},
      epoch_plot(
          t.epochs,
          {{"rate", 1, [](const Epoch& e) { return e.lr && *e.lr > 0 ? e.lr : std::nullopt; }}},
          "learning rate over the epochs", "set logscale y\nset format y \"%g\"\n"));
  add({"α of the reconstructed gradient",
       "At each epoch's last step. A float phase has no α: shown as 1.",
       {}},
      epoch_plot(t.epochs, {{"alpha", 2, [](const Epoch& e) { return std::optional(e.alpha); }}},
                 "alpha over the epochs", "set yrange [0:1.02]\nset ytics 0.2\n"));
  return figures;
}

std::vector<Figure> weight_figures(const Training& t) {
  std::vector<Figure> figures;
  for (const LayerWeights& w : t.weights) {
    Figure f{w.layer, "", {}};
    for (Plot& p : std::vector{float_plot(w), level_plot(w)})
      if (!p.commands.empty()) f.plots.push_back(std::move(p));
    if (!f.plots.empty()) figures.push_back(std::move(f));
  }
  return figures;
}

}  // namespace nbq::report
