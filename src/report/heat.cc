#include "report/heat.h"

#include <algorithm>
#include <cmath>

#include "report/plot.h"
#include "report/table.h"

namespace nbq::report {
namespace {

constexpr std::size_t kMostClasses = 40;  ///< that a matrix shows
constexpr std::size_t kMostListed = 30;   ///< confusions, beyond that

/// A cell shaded by `share`, 0..1.
std::string shaded(double share, const std::string& content, bool right = false) {
  return fmt::format("<td class=\"heat{}\" style=\"--v:{:.0f}%\">{}</td>", right ? " right" : "",
                     100 * std::clamp(share, 0.0, 1.0), content);
}

std::string table_start(const char* label, const char* corner) {
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table "
      "class=\"heatmap\"><thead><tr><th>{}</th>",
      label, corner);
}

std::string matrix(const Training& t, const std::vector<double>& sums) {
  std::string out = table_start("Confusion matrix", "is ↓, taken for →");
  for (const std::string& c : t.classes) out += "<th scope=\"col\">" + escape(c) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < t.classes.size(); ++i) {
    out += "<tr><th scope=\"row\">" + escape(t.classes[i]) + "</th>";
    for (std::size_t k = 0; k < t.classes.size(); ++k) {
      const auto n = static_cast<double>(t.confusion[i][k]);
      out += shaded(sums[i] > 0 ? n / sums[i] : 0, n > 0 ? grouped(n) : "", i == k);
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>";
}

std::string most_frequent(const Training& t, const std::vector<double>& sums) {
  struct Pair {
    std::size_t is, taken;
    std::int64_t n;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < t.classes.size(); ++i)
    for (std::size_t k = 0; k < t.classes.size(); ++k)
      if (i != k && t.confusion[i][k] > 0) pairs.push_back({i, k, t.confusion[i][k]});
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.n > b.n; });
  pairs.resize(std::min(pairs.size(), kMostListed));
  std::string out = table_start("Most frequent confusions", "is");
  out +=
      "<th scope=\"col\">taken for</th><th scope=\"col\">images</th><th scope=\"col\">of the "
      "class</th></tr></thead><tbody>\n";
  for (const Pair& p : pairs)
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>{}</tr>\n", escape(t.classes[p.is]),
        escape(t.classes[p.taken]), grouped(static_cast<double>(p.n)),
        shaded(static_cast<double>(p.n) / sums[p.is],
               fmt::format("{:.1f} %", 100 * static_cast<double>(p.n) / sums[p.is])));
  return out + "</tbody></table></div>";
}

}  // namespace

std::string confusion_section(const Training& t) {
  if (t.confusion.empty()) return "";
  std::vector<double> sums;
  for (const auto& row : t.confusion) {
    sums.push_back(0);
    for (const std::int64_t n : row) sums.back() += static_cast<double>(n);
  }
  const bool whole = t.classes.size() <= kMostClasses;
  return fmt::format(
      "<section><h2>Confusions</h2>\n<p>Test images at the end of the last epoch that was measured "
      "with them{}.</p>\n{}</section>\n",
      whole ? "; shaded by the part of the row’s class"
            : fmt::format("; of {} classes, the {} most frequent confusions", t.classes.size(),
                          kMostListed),
      whole ? matrix(t, sums) : most_frequent(t, sums));
}

std::string sensitivity_section(const Sensitivity& s) {
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
      "<section><h2>Sensitivity</h2>\n<p>What each layer alone at other weight bits does, without "
      "learning, to the mean loss over {} training images: {:.4f} with all layers at their base. "
      "In brackets the change of the accuracy, {:.2f} %, in percentage points.</p>\n",
      grouped(static_cast<double>(s.images)), s.loss, s.accuracy);
  out += table_start("Sensitivity", "layer");
  out += "<th scope=\"col\">weights</th><th scope=\"col\">base</th>";
  for (const std::int64_t b : bits) out += fmt::format("<th scope=\"col\">{} bits</th>", b);
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
      // The root: small rises differ visibly beside the one of a single bit.
      out += shaded(most > 0 ? std::sqrt(std::max(0.0, *e->loss_rise) / most) : 0,
                    fmt::format("{:+.4f} ({:+.2f})", *e->loss_rise, -e->accuracy_fall));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></section>\n";
}

}  // namespace nbq::report
