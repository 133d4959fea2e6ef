#include "report/front.h"

#include <algorithm>

namespace nbq::report {
namespace {

std::string rows(std::vector<FrontSeries::Point> points, bool best_alone) {
  std::sort(points.begin(), points.end(),
            [](const auto& a, const auto& b) { return a.cost < b.cost; });
  std::string out;
  for (const FrontSeries::Point& p : points)
    if (p.best || !best_alone) out += fmt::format("{:.8g} {:.8g}\n", p.cost, p.gain);
  return out;
}

}  // namespace

Plot front_plot(const std::vector<FrontSeries>& series, const std::string& title,
                const std::string& cost, const std::string& gain) {
  std::string blocks, plot;
  for (std::size_t s = 0; s < series.size(); ++s) {
    if (series[s].points.empty()) continue;
    const std::size_t ink = s % 3 + 1;
    blocks += fmt::format("$all{0} << EOD\n{1}EOD\n$best{0} << EOD\n{2}EOD\n", s,
                          rows(series[s].points, false), rows(series[s].points, true));
    plot += fmt::format(
        "{0} $all{1} using 1:2 with points pt 7 ps 0.15 lc rgb \"#000006\" notitle, "
        "$best{1} using 1:2 with steps lw 1.2 lc rgb \"#00000{2}\" notitle, "
        "$best{1} using 1:2 with points pt 7 ps 0.45 lc rgb \"#00000{2}\" title \"{3}\"",
        plot.empty() ? "plot" : ",", s, ink, plot_text(series[s].title));
  }
  if (plot.empty()) return {};
  return {560, 380, 13, title,
          fmt::format("set border 3 lc rgb \"#000004\"\n"
                      "set tics nomirror scale 0.4 textcolor rgb \"#000006\"\n"
                      "set grid lt 1 lw 0.5 lc rgb \"#000005\"\nset key textcolor rgb \"#000000\"\n"
                      "set key left top samplen 1\nset xrange [0:*]\nset yrange [0:*]\n"
                      "set xlabel \"{}\" textcolor rgb \"#000006\"\n"
                      "set ylabel \"{}\" textcolor rgb \"#000006\"\n{}{}",
                      plot_text(cost), plot_text(gain), blocks, plot)};
}

}  // namespace nbq::report
