#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "model/fold.h"
#include "quant/quantizer.h"

namespace nbq {
namespace {

using nlohmann::json;

json number(double v) { return std::isfinite(v) ? json(v) : json(nullptr); }
double number(const json& j) {
  return j.is_null() ? std::numeric_limits<double>::quiet_NaN() : j.get<double>();
}

json to_json(const EpochRow& r) {
  return {{"phase", r.phase},
          {"kind", r.kind},
          {"epoch", r.epoch},
          {"loss", number(r.loss)},
          {"train_accuracy", number(r.train_accuracy)},
          {"validation_accuracy", number(r.validation_accuracy)},
          {"test_accuracy", number(r.test_accuracy)},
          {"lr", r.lr},
          {"alpha", r.alpha},
          {"images_per_second", number(r.images_per_second)},
          {"seconds", r.seconds}};
}

EpochRow epoch_from(const json& j) {
  EpochRow r;
  r.phase = j.at("phase").get<int>();
  r.kind = j.at("kind").get<std::string>();
  r.epoch = j.at("epoch").get<int>();
  r.loss = number(j.at("loss"));
  r.train_accuracy = number(j.at("train_accuracy"));
  r.validation_accuracy = number(j.at("validation_accuracy"));
  r.test_accuracy = number(j.at("test_accuracy"));
  r.lr = j.at("lr").get<double>();
  r.alpha = j.at("alpha").get<double>();
  r.images_per_second = number(j.at("images_per_second"));
  r.seconds = j.at("seconds").get<double>();
  return r;
}

json to_json(const Histogram& h) { return {{"lo", h.lo}, {"hi", h.hi}, {"counts", h.counts}}; }
Histogram histogram_from(const json& j) {
  return {j.at("lo").get<double>(), j.at("hi").get<double>(),
          j.at("counts").get<std::vector<std::int64_t>>()};
}

json to_json(const WeightHistograms& w) {
  json levels = json::array();
  for (const auto& [level, count] : w.levels)
    levels.push_back({{"level", level}, {"count", count}});
  return {{"layer", w.layer},
          {"bits", w.bits},
          {"before", to_json(w.before)},
          {"after", to_json(w.after)},
          {"quantised", to_json(w.quantised)},
          {"levels", levels}};
}

WeightHistograms weights_from(const json& j) {
  WeightHistograms w;
  w.layer = j.at("layer").get<std::string>();
  w.bits = j.at("bits").get<int>();
  w.before = histogram_from(j.at("before"));
  w.after = histogram_from(j.at("after"));
  w.quantised = histogram_from(j.at("quantised"));
  for (const json& l : j.at("levels"))
    w.levels.emplace_back(l.at("level").get<int>(), l.at("count").get<std::int64_t>());
  return w;
}

json to_json(const Origin& o) {
  json libraries = json::object();
  for (const auto& [name, version] : o.libraries) libraries[name] = version;
  return {{"nbq", o.nbq},
          {"seed", o.seed},
          {"threads", o.threads},
          {"processor", o.processor},
          {"libraries", libraries}};
}

Origin origin_from(const json& j) {
  Origin o;
  o.nbq = j.at("nbq").get<std::string>();
  o.seed = j.at("seed").get<std::uint64_t>();
  o.threads = j.at("threads").get<int>();
  o.processor = j.at("processor").get<std::string>();
  for (const auto& [name, version] : j.at("libraries").items())
    o.libraries.emplace_back(name, version.get<std::string>());
  return o;
}

/// A row for each class.
json confusion_rows(const Metrics& m) {
  json rows = json::array();
  const std::size_t classes = m.class_names.size();
  for (std::size_t at = 0; classes != 0 && at + classes <= m.confusion.size(); at += classes)
    rows.push_back(
        std::vector<std::int64_t>(m.confusion.begin() + static_cast<std::ptrdiff_t>(at),
                                  m.confusion.begin() + static_cast<std::ptrdiff_t>(at + classes)));
  return rows;
}

}  // namespace

Histogram make_histogram(const std::vector<float>& values, int bins) {
  Histogram h;
  h.counts.assign(static_cast<std::size_t>(bins), 0);
  double most = 0;
  for (const float v : values)
    if (std::isfinite(v)) most = std::max(most, std::fabs(static_cast<double>(v)));
  if (most == 0) most = 1;
  h.lo = -most;
  h.hi = most;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    const auto bin = static_cast<int>((static_cast<double>(v) + most) / (2 * most) * bins);
    ++h.counts[static_cast<std::size_t>(std::clamp(bin, 0, bins - 1))];
  }
  return h;
}

std::string metrics_json(const Metrics& m) {
  json j = {{"name", m.name},
            {"float_accuracy", number(m.float_accuracy)},
            {"nbit_accuracy", number(m.nbit_accuracy)},
            {"seconds", m.seconds},
            {"origin", to_json(m.origin)},
            {"classes", m.class_names},
            {"confusion", confusion_rows(m)},
            {"epochs", json::array()},
            {"weights", json::array()}};
  for (const EpochRow& r : m.epochs) j["epochs"].push_back(to_json(r));
  for (const WeightHistograms& w : m.weights) j["weights"].push_back(to_json(w));
  return j.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Metrics> parse_metrics(std::string_view text) {
  try {
    const json j = json::parse(text);
    Metrics m;
    m.name = j.at("name").get<std::string>();
    m.float_accuracy = number(j.at("float_accuracy"));
    m.nbit_accuracy = number(j.at("nbit_accuracy"));
    m.seconds = j.at("seconds").get<double>();
    if (j.contains("origin")) m.origin = origin_from(j.at("origin"));
    if (j.contains("classes")) m.class_names = j.at("classes").get<std::vector<std::string>>();
    if (j.contains("confusion"))
      for (const json& row : j.at("confusion"))
        for (const json& count : row) m.confusion.push_back(count.get<std::int64_t>());
    for (const json& r : j.at("epochs")) m.epochs.push_back(epoch_from(r));
    for (const json& w : j.at("weights")) m.weights.push_back(weights_from(w));
    return m;
  } catch (const json::exception& e) {
    return make_error(ErrorCode::kBadFile, "metrics: {}", e.what());
  }
}

std::string metrics_csv(const Metrics& m) {
  std::string out =
      "phase,kind,epoch,loss,train_accuracy,validation_accuracy,test_accuracy,lr,alpha,"
      "images_per_second,seconds\n";
  const auto cell = [](double v) {
    return std::isfinite(v) ? fmt::format("{:.8g}", v) : std::string();
  };
  for (const EpochRow& r : m.epochs)
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", r.phase + 1, r.kind, r.epoch,
                       cell(r.loss), cell(r.train_accuracy), cell(r.validation_accuracy),
                       cell(r.test_accuracy), cell(r.lr), cell(r.alpha), cell(r.images_per_second),
                       cell(r.seconds));
  return out;
}

namespace {

/// The weight as it is quantised, norm folded.
std::vector<float> folded_weight(Node node) {
  fold_norm(node);
  return std::move(node.state.at("weight").data);
}

}  // namespace

void note_weights_before(Metrics& m, const Graph& quantised) {
  m.weights.clear();
  for (const Node& n : quantised.nodes)
    if (n.po2.bits != 0) {
      WeightHistograms w;
      w.layer = n.name;
      w.bits = n.po2.bits;
      w.before = make_histogram(folded_weight(n));
      m.weights.push_back(std::move(w));
    }
}

void note_weights_after(Metrics& m, const Graph& quantised, const Graph& integers) {
  for (WeightHistograms& w : m.weights)
    for (std::size_t id = 0; id < integers.nodes.size(); ++id) {
      const Node& n = integers.nodes[id];
      if (n.name != w.layer) continue;
      const Po2Format f{n.po2.bits};
      std::vector<float> values(n.po2.codes.size());
      decode(f, n.po2.codes, n.po2.exps.size(), n.po2.exps, values);
      w.after = make_histogram(folded_weight(quantised.nodes[id]));
      w.bits = n.po2.bits;
      w.quantised = make_histogram(values);
      std::map<int, std::int64_t> levels;
      for (const Po2Code c : n.po2.codes) ++levels[c.value(f)];
      w.levels.assign(levels.begin(), levels.end());
    }
}

}  // namespace nbq
