#include "report/roofline.h"

#include <algorithm>
#include <cmath>

#include "report/page.h"
#include "report/table.h"

namespace nbq::report {
namespace {

struct Point {
  std::string layer;
  double x, y;
  double lost;  ///< time in which the layer could have gone faster
};

/// y <= min(peak, slope * x)
struct Roof {
  double peak, slope;
  double ridge() const { return peak / slope; }
};

struct Range {
  double lo, hi;
  void take(double v) {
    lo = std::min(lo, v);
    hi = std::max(hi, v);
  }
};

/// Powers of two where decades would leave an axis without numbers.
std::string log_axis(char axis, const Range& r) {
  return fmt::format(
      "set logscale {0} {1}\nset {0}range [{2:.6g}:{3:.6g}]\nset format {0} \"%g\"\n", axis,
      r.hi < 200 * r.lo ? 2 : 10, r.lo, r.hi);
}

/// Where a point lies on the plot: 0 to 1 on each axis.
struct Place {
  double x, y;
};

Place place(const Point& p, const Range& x, const Range& y) {
  const auto part = [](double v, const Range& r) {
    return std::log(v / r.lo) / std::log(r.hi / r.lo);
  };
  return {part(p.x, x), part(p.y, y)};
}

/// The layers that lose the most time, named where nothing lies under the name.
std::string labels(std::vector<Point> points, const Range& x, const Range& y) {
  constexpr std::size_t kMost = 4;
  constexpr double kLetter = 0.017, kLow = 0.015, kHigh = 0.085;  // of a name beside its point
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.lost > b.lost; });
  std::vector<Place> taken;
  for (const Point& p : points) taken.push_back(place(p, x, y));
  std::string out;
  std::size_t named = 0;
  for (const Point& p : points) {
    const std::string name = plot_text(p.layer);
    const Place at = place(p, x, y);
    const double width = kLetter * static_cast<double>(name.size());
    const double left = at.x > 0.5 ? at.x - width : at.x;
    const auto free = [&](double bottom) {
      return std::none_of(taken.begin(), taken.end(), [&](const Place& t) {
        return t.x > left - 0.01 && t.x < left + width + 0.01 && t.y > bottom &&
               t.y < bottom + kHigh - kLow;
      });
    };
    const bool below = free(at.y - kHigh);
    if (named == kMost || p.lost <= 0 || (!below && !free(at.y + kLow))) continue;
    ++named;
    // The ends of the name and its middle, for the next ones.
    const double middle = at.y + (below ? -1 : 1) * (kLow + kHigh) / 2;
    for (const double part : {0.0, 0.5, 1.0}) taken.push_back({left + part * width, middle});
    out +=
        fmt::format("set label \"{}\" at {:.6g},{:.6g} {} offset 0,{} textcolor rgb \"#000006\"\n",
                    name, p.x, p.y, at.x > 0.5 ? "right" : "left", below ? -0.8 : 0.8);
  }
  return out;
}

Plot roof_plot(const std::vector<Point>& points, const Roof& roof, const std::string& title,
               const std::string& x_label, const std::string& y_label) {
  Range x{roof.ridge(), roof.ridge()}, y{roof.peak, roof.peak};
  std::string rows;
  for (const Point& p : points) {
    x.take(p.x);
    y.take(p.y);
    rows += fmt::format("{:.8g} {:.8g}\n", p.x, p.y);
  }
  x = {x.lo / 2, x.hi * 2};
  y = {y.lo / 2, y.hi * 1.5};
  return {
      560, 380, 13, title,
      fmt::format("set border 3 lc rgb \"#000004\"\n"
                  "set tics nomirror scale 0.4 textcolor rgb \"#000006\"\n"
                  "set grid lt 1 lw 0.5 lc rgb \"#000005\"\nset key textcolor rgb \"#000000\"\n"
                  "set key right bottom samplen 1.5\n{}{}"
                  "set xlabel \"{}\" textcolor rgb \"#000006\"\n"
                  "set ylabel \"{}\" textcolor rgb \"#000006\"\n{}"
                  "$roof << EOD\n{:.8g} {:.8g}\n{:.8g} {:.8g}\n{:.8g} {:.8g}\nEOD\n"
                  "$layers << EOD\n{}EOD\n"
                  "plot $roof using 1:2 with lines lw 1.6 lc rgb \"#000001\" title \"roof\", "
                  "$layers using 1:2 with points pt 7 ps 0.7 lc rgb \"#000002\" title \"layer\"",
                  log_axis('x', x), log_axis('y', y), x_label, y_label, labels(points, x, y), x.lo,
                  roof.slope * x.lo, roof.ridge(), roof.peak, x.hi, roof.peak, rows)};
}

Figure accelerator(const Schedule& s) {
  std::vector<Point> points;
  const auto images = static_cast<double>(s.images_at_once);
  for (const LayerCycles& l : s.layers)
    if (l.macs > 0 && l.busy > 0 && l.cycles > 0) {
      const double macs = static_cast<double>(l.macs) * images;
      points.push_back({l.name, macs / l.busy, macs / l.cycles, l.cycles * (1 - l.utilisation)});
    }
  if (points.empty()) return {};
  const double lanes = static_cast<double>(s.lanes()) / static_cast<double>(s.act_digits);
  return {
      upper(s.pe) + " array",
      fmt::format(
          "A tap is what the on-chip memories give the array in a cycle: a weight word and the "
          "activations of all its columns. So no layer is above a tap a cycle (the slope) or {} "
          "lanes (the flat roof). To the left of the ridge, lanes have no channel, column or "
          "pixel to work on; under the slope, the array waits. Named: where most cycles are lost.",
          grouped(lanes)),
      {roof_plot(points, {lanes, 1}, "roofline of the array", "useful MACs a tap",
                 "useful MACs a cycle")}};
}

Figure cpu(const CpuSpeed& c) {
  const auto threads = static_cast<double>(c.threads);
  const Roof roof{c.peak_gmacs * threads, c.memory_gbytes * threads};
  std::vector<Point> points;
  for (const CpuLayer& l : c.layers)
    if (l.macs > 0 && l.bytes > 0 && l.us > 0) {
      const double y = l.macs / l.us * 1e-3;
      points.push_back({l.name, l.macs / l.bytes, y, l.us * (1 - y / roof.peak)});
    }
  if (points.empty()) return {};
  return {"CPU engine",
          fmt::format("{} kernels, one core’s measured limits{}: {:.0f} G MACs/s at best from the "
                      "first-level cache (flat), {:.1f} GB/s from memory (slope). Bytes: weights "
                      "and activations, each once. A layer above the slope has its operands in a "
                      "cache. Named: where most time is lost.",
                      plot_text(c.isa), c.threads == 1 ? "" : fmt::format(", times {}", c.threads),
                      roof.peak, roof.slope),
          {roof_plot(points, roof, "roofline of the CPU engine", "MACs a byte", "G MACs/s")}};
}

}  // namespace

std::vector<Figure> roofline_figures(const Inputs& in) {
  std::vector<Figure> figures;
  if (in.schedule() != nullptr) figures.push_back(accelerator(*in.schedule()));
  if (in.bench) figures.push_back(cpu(*in.bench));
  std::erase_if(figures, [](const Figure& f) { return f.plots.empty(); });
  return figures;
}

}  // namespace nbq::report
