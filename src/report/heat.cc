#include "report/heat.h"

#include <algorithm>
#include <cmath>

#include "report/page.h"
#include "report/plot.h"
#include "report/table.h"

namespace nbq::report {
namespace {

constexpr std::size_t kMostClasses = 40;  ///< that a matrix shows
constexpr std::size_t kMostListed = 30;   ///< confusions, beyond that

std::string matrix(const Confusion& t, const std::vector<double>& sums) {
  std::string out =
      table_start("Confusion matrix", "heatmap") + "<thead><tr><th>is ↓, taken for →</th>";
  for (const std::string& c : t.classes) out += "<th scope=\"col\">" + escape(c) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < t.classes.size(); ++i) {
    out += "<tr><th scope=\"row\">" + escape(t.classes[i]) + "</th>";
    for (std::size_t k = 0; k < t.classes.size(); ++k) {
      const auto n = static_cast<double>(t.images[i][k]);
      out += shaded(sums[i] > 0 ? n / sums[i] : 0, n > 0 ? grouped(n) : "", i == k);
    }
    out += "</tr>\n";
  }
  return out + kTableEnd;
}

std::string most_frequent(const Confusion& t, const std::vector<double>& sums) {
  struct Pair {
    std::size_t is, taken;
    std::int64_t n;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < t.classes.size(); ++i)
    for (std::size_t k = 0; k < t.classes.size(); ++k)
      if (i != k && t.images[i][k] > 0) pairs.push_back({i, k, t.images[i][k]});
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.n > b.n; });
  pairs.resize(std::min(pairs.size(), kMostListed));
  std::string out = table_start("Most frequent confusions", "heatmap");
  out +=
      "<thead><tr><th scope=\"col\">is</th><th scope=\"col\">taken for</th><th "
      "scope=\"col\">images</th><th scope=\"col\">of the "
      "class</th></tr></thead><tbody>\n";
  for (const Pair& p : pairs)
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>{}</tr>\n", escape(t.classes[p.is]),
        escape(t.classes[p.taken]), grouped(static_cast<double>(p.n)),
        shaded(static_cast<double>(p.n) / sums[p.is],
               fmt::format("{:.1f} %", 100 * static_cast<double>(p.n) / sums[p.is])));
  return out + kTableEnd;
}

}  // namespace

std::string shaded(double share, const std::string& content, bool right) {
  return fmt::format("<td class=\"heat{}\" style=\"--v:{:.0f}%\">{}</td>", right ? " right" : "",
                     100 * std::clamp(share, 0.0, 1.0), content);
}

double rise_share(double rise, double most) {
  return most > 0 ? std::sqrt(std::max(0.0, rise) / most) : 0;
}

std::string confusion_body(const Confusion& t, bool in_integers) {
  if (t.images.empty()) return "";
  std::vector<double> sums;
  for (const auto& row : t.images) {
    sums.push_back(0);
    for (const std::int64_t n : row) sums.back() += static_cast<double>(n);
  }
  const bool whole = t.classes.size() <= kMostClasses;
  return fmt::format("<p>How many test images of a row’s class {} gave the column’s{}.</p>\n{}",
                     in_integers ? "the integer network"
                                 : "the network, as the training’s last evaluation had it,",
                     whole ? "; shaded by the part of the row’s class"
                           : fmt::format("; of {} classes, the {} most frequent confusions",
                                         t.classes.size(), kMostListed),
                     whole ? matrix(t, sums) : most_frequent(t, sums));
}

std::string sensitivity_body(const Sensitivity& s) {
  if (s.layers.empty()) return "";
  std::vector<std::int64_t> bits;
  double most = 0;
  for (const LayerSensitivity& l : s.layers)
    for (const BitsEffect& e : l.at) {
      if (std::find(bits.begin(), bits.end(), e.bits) == bits.end()) bits.push_back(e.bits);
      most = std::max(most, e.loss_rise.value_or(0));
    }
  std::sort(bits.begin(), bits.end());
  std::string out = fmt::format(
      "<p>What each layer alone at other weight bits does, without "
      "learning, to the mean loss over {} training images: {:.4f} with all layers at their base. "
      "In brackets the change of the accuracy, {:.2f} %, in percentage points.</p>\n",
      grouped(static_cast<double>(s.images)), s.loss, s.accuracy);
  out += table_start("Sensitivity", "heatmap");
  out +=
      "<thead><tr><th scope=\"col\">layer</th><th scope=\"col\">weights</th><th "
      "scope=\"col\">base</th>";
  for (const std::int64_t b : bits)
    out += fmt::format("<th scope=\"col\">{} bit{}</th>", b, b == 1 ? "" : "s");
  out += "</tr></thead><tbody>\n";
  for (const LayerSensitivity& l : s.layers) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>", escape(l.layer),
                       grouped(static_cast<double>(l.weights)), l.base_bits);
    for (const std::int64_t b : bits) {
      const auto e = std::find_if(l.at.begin(), l.at.end(),
                                  [&](const BitsEffect& at) { return at.bits == b; });
      if (e == l.at.end() || !e->loss_rise) {
        out += "<td>–</td>";
        continue;
      }
      out += shaded(rise_share(*e->loss_rise, most),
                    fmt::format("{:+.4f} ({:+.2f})", *e->loss_rise, 0 - e->accuracy_fall));
    }
    out += "</tr>\n";
  }
  return out + kTableEnd;
}

}  // namespace nbq::report
