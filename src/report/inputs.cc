#include "report/inputs.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/file.h"

namespace nbq::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Stays inside this file: read_json_file() turns it and json::exception into kBadFile.
struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr double kExact = 9007199254740992.0;  // 2^53

/// Absent for null and for no such key; +-2^53 at most.
std::optional<double> maybe_number(const json& j, const char* key) {
  const auto it = j.find(key);
  if (it == j.end() || it->is_null()) return std::nullopt;
  if (!it->is_number()) throw BadInput(fmt::format("\"{}\" is not a number", key));
  const double v = it->get<double>();
  if (!std::isfinite(v) || std::fabs(v) > kExact)
    throw BadInput(fmt::format("\"{}\" is out of range", key));
  return v;
}

double number(const json& j, const char* key) {
  if (!j.is_object()) throw BadInput(fmt::format("expected an object with \"{}\"", key));
  const std::optional<double> v = maybe_number(j, key);
  if (!v) throw BadInput(fmt::format("\"{}\" is missing", key));
  return *v;
}

double amount(const json& j, const char* key) {
  const double v = number(j, key);
  if (v < 0) throw BadInput(fmt::format("\"{}\" is negative", key));
  return v;
}

std::int64_t whole(const json& value, const char* key) {
  if (!value.is_number_integer()) throw BadInput(fmt::format("\"{}\" is not an integer", key));
  const double v = value.get<double>();
  if (std::fabs(v) > kExact) throw BadInput(fmt::format("\"{}\" is out of range", key));
  return static_cast<std::int64_t>(v);
}

std::int64_t count(const json& value, const char* key) {
  const std::int64_t v = whole(value, key);
  if (v < 0) throw BadInput(fmt::format("\"{}\" is negative", key));
  return v;
}

const json& member(const json& j, const char* key) {
  if (!j.is_object() || !j.contains(key)) throw BadInput(fmt::format("\"{}\" is missing", key));
  return j.at(key);
}

std::int64_t count_of(const json& j, const char* key) { return count(member(j, key), key); }

int small_of(const json& j, const char* key) {
  const std::int64_t v = count_of(j, key);
  if (v > 1'000'000) throw BadInput(fmt::format("\"{}\" is out of range", key));
  return static_cast<int>(v);
}

std::string text(const json& j, const char* key) {
  const json& value = member(j, key);
  if (!value.is_string()) throw BadInput(fmt::format("\"{}\" is not a string", key));
  return value.get<std::string>();
}

const json& list(const json& j, const char* key) {
  const json& value = member(j, key);
  if (!value.is_array()) throw BadInput(fmt::format("\"{}\" is not a list", key));
  return value;
}

void expect(const json& j, const char* key, const std::string& wanted) {
  const std::string is = text(j, key);
  if (is != wanted)
    throw BadInput(fmt::format("\"{}\" is \"{}\", expected \"{}\"", key, is, wanted));
}

Histogram histogram(const json& j, const char* key) {
  const json& h = member(j, key);
  Histogram out{number(h, "lo"), number(h, "hi"), {}};
  for (const json& c : list(h, "counts")) out.counts.push_back(count(c, "counts"));
  if (!out.counts.empty() && !(out.hi > out.lo))
    throw BadInput(fmt::format("\"{}\": hi is not above lo", key));
  return out;
}

Epoch epoch(const json& j) {
  Epoch e;
  e.phase = small_of(j, "phase");
  e.kind = text(j, "kind");
  e.loss = maybe_number(j, "loss");
  e.train_accuracy = maybe_number(j, "train_accuracy");
  e.validation_accuracy = maybe_number(j, "validation_accuracy");
  e.test_accuracy = maybe_number(j, "test_accuracy");
  e.alpha = number(j, "alpha");
  e.lr = maybe_number(j, "lr");
  return e;
}

LayerWeights layer_weights(const json& j) {
  LayerWeights w;
  w.layer = text(j, "layer");
  w.bits = small_of(j, "bits");
  w.before = histogram(j, "before");
  w.after = histogram(j, "after");
  for (const json& l : list(j, "levels"))
    w.levels.emplace_back(whole(member(l, "level"), "level"), count_of(l, "count"));
  std::sort(w.levels.begin(), w.levels.end());
  return w;
}

/// Square, a row and a column for each class; runs of earlier versions have none.
void confusion(const json& j, Training& t) {
  if (!j.contains("classes") || !j.contains("confusion")) return;
  for (const json& c : list(j, "classes")) {
    if (!c.is_string()) throw BadInput("\"classes\" are not names");
    t.classes.push_back(c.get<std::string>());
  }
  for (const json& row : list(j, "confusion")) {
    if (!row.is_array() || row.size() != t.classes.size())
      throw BadInput("\"confusion\": a row is not as long as there are classes");
    auto& out = t.confusion.emplace_back();
    for (const json& n : row) out.push_back(count(n, "confusion"));
  }
  if (!t.confusion.empty() && t.confusion.size() != t.classes.size())
    throw BadInput("\"confusion\" has not a row for each class");
}

Sensitivity sensitivity(const json& j) {
  Sensitivity s{count_of(j, "images"), number(j, "loss"), number(j, "accuracy"), {}};
  for (const json& l : list(j, "layers")) {
    LayerSensitivity& out = s.layers.emplace_back();
    out.layer = text(l, "layer");
    out.weights = count_of(l, "weights");
    out.base_bits = count_of(l, "base_bits");
    for (const json& e : list(l, "at"))
      out.at.push_back(
          {count_of(e, "bits"), maybe_number(e, "loss_rise"), number(e, "accuracy_fall")});
  }
  return s;
}

Training training(const json& j) {
  Training t;
  t.name = text(j, "name");
  t.float_accuracy = maybe_number(j, "float_accuracy");
  t.nbit_accuracy = maybe_number(j, "nbit_accuracy");
  t.seconds = amount(j, "seconds");
  for (const json& e : list(j, "epochs")) t.epochs.push_back(epoch(e));
  for (const json& w : list(j, "weights")) t.weights.push_back(layer_weights(w));
  confusion(j, t);
  return t;
}

Evaluation evaluation(const json& j) {
  expect(j, "stage", "integer");
  return {count_of(j, "images"), count_of(j, "correct"), number(j, "accuracy")};
}

Check check(const json& j) {
  Check c{count_of(j, "images"), count_of(j, "mismatches"), {}};
  for (const json& e : list(j, "executors"))
    c.executors.push_back({text(e, "name"), count_of(e, "images"), count_of(e, "mismatches")});
  return c;
}

Layer layer(const json& j) {
  Layer l;
  l.name = text(j, "name");
  l.op = text(j, "op");
  const json& shape = list(j, "shape");
  if (shape.size() != 3) throw BadInput("\"shape\" is not channels, rows, columns");
  for (std::size_t i = 0; i < 3; ++i) l.shape[i] = count(shape[i], "shape");
  l.params = count_of(j, "params");
  l.macs = count_of(j, "macs");
  l.weight_bits = count_of(j, "weight_bits");
  l.act_bits = count_of(j, "act_bits");
  l.acc_bits = count_of(j, "acc_bits");
  if (j.contains("code_bytes")) l.code_bytes = count_of(j, "code_bytes");
  return l;
}

ModelInfo model_info(const json& j) {
  ModelInfo m;
  m.name = text(j, "name");
  expect(j, "stage", "integer");
  m.model_bytes = count_of(j, "model_bytes");
  m.float_bytes = count_of(j, "float_bytes");
  m.weight_bits = count_of(j, "weight_bits");
  m.act_bits = count_of(j, "act_bits");
  m.params = count_of(j, "params");
  m.macs = count_of(j, "macs");
  for (const json& l : list(j, "layers")) m.layers.push_back(layer(l));
  return m;
}

Simulation simulation(const json& j) {
  Simulation s;
  s.lanes_in = count_of(j, "lanes_in");
  s.lanes_out = count_of(j, "lanes_out");
  s.pixels = count_of(j, "pixels");
  s.lanes = count_of(j, "lanes");
  s.acc_bits = count_of(j, "acc_bits");
  s.clock_mhz = amount(j, "clock_mhz");
  s.images = count_of(j, "images");
  s.mismatches = count_of(j, "mismatches");
  s.cycles = amount(j, "cycles_per_image");
  s.busy = amount(j, "busy_cycles_per_image");
  s.residual = amount(j, "residual_cycles_per_image");
  s.drain = amount(j, "drain_cycles_per_image");
  s.barrier = amount(j, "barrier_cycles_per_image");
  s.fetch = amount(j, "fetch_cycles_per_image");
  s.load = amount(j, "load_cycles_per_image");
  s.utilisation = amount(j, "utilisation");
  s.accuracy = maybe_number(j, "accuracy");
  if (s.cycles <= 0) throw BadInput("\"cycles_per_image\" is 0");
  if (s.clock_mhz <= 0) throw BadInput("\"clock_mhz\" is 0");
  return s;
}

Resources resources(const json& j) {
  return {amount(j, "lut"), amount(j, "ff"), amount(j, "dsp"), amount(j, "bram")};
}

template <class T, class F>
Status parse_json(const std::string& content, const fs::path& path, std::optional<T>& out,
                  F&& parse) {
  try {
    out = parse(json::parse(content));
  } catch (const json::exception& e) {
    return make_error(ErrorCode::kBadFile, "{}: damaged JSON: {}", path.string(), e.what());
  } catch (const BadInput& e) {
    return make_error(ErrorCode::kBadFile, "{}: {}", path.string(), e.what());
  }
  return ok_status();
}

/// Parses `path` with `parse` into `out`; leaves it empty when there is no such file.
template <class T, class F>
Status read_json_file(const fs::path& path, std::optional<T>& out, F&& parse) {
  std::error_code ec;
  if (!fs::exists(path, ec)) return ok_status();
  NBQ_ASSIGN(const std::string content, read_text_file(path));
  return parse_json(content, path, out, parse);
}

Status read_array(const fs::path& dir, const std::string& pe, Array& array) {
  NBQ_TRY(read_json_file(dir / ("sim_" + pe + ".json"), array.sim, [&](const json& j) {
    expect(j, "pe", pe);
    return simulation(j);
  }));
  const auto synth = [&](const std::string& target, std::optional<Resources>& out) {
    return read_json_file(dir / ("synth_" + pe + "_" + target + ".json"), out, [&](const json& j) {
      expect(j, "pe", pe);
      expect(j, "target", target);
      return resources(j);
    });
  };
  NBQ_TRY(synth("xcup", array.xcup));
  return synth("ecp5", array.ecp5);
}

}  // namespace

Result<Inputs> read_inputs(const fs::path& dir, const std::string& info) {
  std::error_code ec;
  if (!fs::is_directory(dir, ec))
    return make_error(ErrorCode::kBadFile, "{}: no such folder", dir.string());
  Inputs in;
  const fs::path run = fs::exists(dir / "metrics.json", ec) ? dir : dir / "run";
  NBQ_TRY(read_json_file(run / "metrics.json", in.training, training));
  NBQ_TRY(read_json_file(run / "sensitivity.json", in.sensitivity, sensitivity));
  NBQ_TRY(read_json_file(dir / "eval.json", in.eval, evaluation));
  NBQ_TRY(read_json_file(dir / "check.json", in.check, check));
  NBQ_TRY(read_json_file(dir / "info.json", in.info, model_info));
  if (!in.info && !info.empty()) NBQ_TRY(parse_json(info, dir / "info.json", in.info, model_info));
  NBQ_TRY(read_array(dir, "svpe", in.svpe));
  NBQ_TRY(read_array(dir, "vpe", in.vpe));
  const auto any = [](const Array& a) { return a.sim || a.xcup || a.ecp5; };
  if (!in.training && !in.eval && !in.check && !in.info && !any(in.svpe) && !any(in.vpe))
    return make_error(
        ErrorCode::kBadFile,
        "{}: nothing to report: no metrics.json (also in run/), eval.json, check.json, info.json, "
        "sim_*.json or synth_*.json",
        dir.string());
  return in;
}

}  // namespace nbq::report
