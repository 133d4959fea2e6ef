#include "report/inputs.h"

#include <algorithm>

#include "core/file.h"
#include "report/inputs_hardware.h"
#include "report/json_fields.h"

namespace nbq::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

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
Confusion confusion(const json& j) {
  Confusion out;
  if (!j.contains("classes") || !j.contains("confusion")) return out;
  for (const json& c : list(j, "classes")) {
    if (!c.is_string()) throw BadInput("\"classes\" are not names");
    out.classes.push_back(c.get<std::string>());
  }
  for (const json& row : list(j, "confusion")) {
    if (!row.is_array() || row.size() != out.classes.size())
      throw BadInput("\"confusion\": a row is not as long as there are classes");
    auto& images = out.images.emplace_back();
    for (const json& n : row) images.push_back(count(n, "confusion"));
  }
  if (!out.images.empty() && out.images.size() != out.classes.size())
    throw BadInput("\"confusion\" has not a row for each class");
  return out;
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
  t.confusion = confusion(j);
  return t;
}

Evaluation evaluation(const json& j) {
  expect(j, "stage", "integer");
  return {count_of(j, "images"), count_of(j, "correct"), number(j, "accuracy"), confusion(j)};
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

/// Parses `path` with `parse` into `out`, or `stand_in` when there is no such file; leaves `out` as
/// it is when there is neither.
template <class T, class F>
Status read_json_file(const fs::path& path, std::optional<T>& out, F&& parse,
                      const std::string& stand_in = {}) {
  std::error_code ec;
  if (fs::exists(path, ec)) {
    NBQ_ASSIGN(const std::string content, read_text_file(path));
    return parse_json(content, path, out, parse);
  }
  return stand_in.empty() ? ok_status() : parse_json(stand_in, path, out, parse);
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

Status read_measurements(const fs::path& dir, const StandIns& stand_ins, Inputs& in) {
  NBQ_TRY(read_array(dir, "svpe", in.svpe));
  NBQ_TRY(read_array(dir, "vpe", in.vpe));
  NBQ_TRY(read_json_file(dir / "compile.json", in.compiled, schedule, stand_ins.compiled));
  NBQ_TRY(read_json_file(dir / "energy.json", in.energy, energy));
  return read_json_file(dir / "bench.json", in.bench, cpu_speed);
}

}  // namespace

bool Training::evaluated_in_integers() const {
  const auto last = std::find_if(epochs.rbegin(), epochs.rend(),
                                 [](const Epoch& e) { return e.test_accuracy.has_value(); });
  return last != epochs.rend() && last->kind == "quantised";
}

const Schedule* Inputs::schedule() const {
  for (const Array* a : {&svpe, &vpe})
    if (a->sim && a->sim->schedule) return &*a->sim->schedule;
  return compiled ? &*compiled : nullptr;
}

const Confusion* Inputs::confusion() const {
  if (eval && !eval->confusion.images.empty()) return &eval->confusion;
  return training && !training->confusion.images.empty() ? &training->confusion : nullptr;
}

bool Inputs::confusion_in_integers() const {
  const Confusion* c = confusion();
  return (eval && c == &eval->confusion) || (training && training->evaluated_in_integers());
}

bool Inputs::has_accuracy() const { return eval || (training && training->nbit_accuracy); }

Result<Inputs> read_inputs(const fs::path& dir, const StandIns& stand_ins) {
  std::error_code ec;
  if (!fs::is_directory(dir, ec))
    return make_error(ErrorCode::kBadFile, "{}: no such folder", dir.string());
  Inputs in;
  const fs::path run = fs::exists(dir / "metrics.json", ec) ? dir : dir / "run";
  NBQ_TRY(read_json_file(run / "metrics.json", in.training, training));
  NBQ_TRY(read_json_file(run / "sensitivity.json", in.sensitivity, sensitivity));
  NBQ_TRY(read_json_file(dir / "sensitivity.json", in.sensitivity, sensitivity));
  NBQ_TRY(read_json_file(dir / "eval.json", in.eval, evaluation));
  NBQ_TRY(read_json_file(dir / "check.json", in.check, check));
  NBQ_TRY(read_json_file(dir / "info.json", in.info, model_info, stand_ins.info));
  NBQ_TRY(read_measurements(dir, stand_ins, in));
  const auto any = [](const Array& a) { return a.sim || a.xcup || a.ecp5; };
  if (!in.training && !in.sensitivity && !in.eval && !in.check && !in.info && !any(in.svpe) &&
      !any(in.vpe) && !in.compiled && !in.energy && !in.bench)
    return make_error(ErrorCode::kBadFile,
                      "{}: nothing to report: no model.nbq, metrics.json (also in run/), and no "
                      "eval.json, check.json, info.json, sensitivity.json, sim_*.json, "
                      "synth_*.json, compile.json, energy.json or bench.json",
                      dir.string());
  return in;
}

}  // namespace nbq::report
