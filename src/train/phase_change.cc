#include "train/phase_change.h"

#include <algorithm>
#include <cmath>

#include "core/file.h"
#include "core/log.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "train/evaluate.h"
#include "train/same_training.h"
#include "train/sensitivity.h"

namespace nbq {
namespace {

constexpr int kBudgetBits[] = {1, 2, 3, 4, 5};

/// What sensitivities are measured from: the layers beside the one that is measured nearly as good
/// as in float.
QuantSpec budget_base(const Recipe& r) {
  QuantSpec base = r.quant;
  base.weight_bits = kMaxWeightBits;
  return base;
}

/// The recipe's bits, or those that its budget leads to on the float network. sensitivity.json
/// tells what was measured.
Result<QuantSpec> choose_bits(const Session& s) {
  const Recipe& r = s.recipe();
  if (r.budget.bytes == 0) return r.quant;
  NBQ_ASSIGN(const auto images, sensitivity_images(s.train->size(), r.data.validation, r.seed,
                                                   static_cast<std::size_t>(r.budget.images)));
  NBQ_ASSIGN(const Sensitivity measured,
             measure_sensitivity(s.state.graph, budget_base(r), kBudgetBits, *s.train, images));
  if (s.peers->first())
    NBQ_TRY(write_file(s.request.run_dir / "sensitivity.json", sensitivity_json(measured)));
  NBQ_ASSIGN(const QuantSpec spec, fit_budget(measured, r.quant, r.budget.bytes));
  std::string chosen;
  for (const LayerSensitivity& l : measured.layers)
    chosen += fmt::format(", {} {}", l.layer, spec.weight_bits_of(l.layer));
  log_info("bits for {} bytes of weight codes: {}", r.budget.bytes, chosen.substr(2));
  return spec;
}

Status try_quantising(const Recipe& r, const Graph& graph) {
  if (std::none_of(r.phases.begin(), r.phases.end(),
                   [](const PhaseSpec& p) { return p.quantised; }))
    return ok_status();
  for (const PhaseSpec& p : r.phases)
    if (r.budget.bytes != 0 && p.weight_bits != 0)
      return make_error(ErrorCode::kInvalidArgument,
                        "phase.weight_bits: the budget of [quant] chooses the bits; leave one out");
  if (r.budget.bytes != 0) return check_budget(graph, budget_base(r), kBudgetBits, r.budget.bytes);
  NBQ_ASSIGN(const Graph folded, fold(graph));
  const auto tried = quantise(folded, r.quant, ActSamples(folded.nodes.size(), {1.0f}));
  return tried.ok() ? ok_status() : Status(tried.error());
}

/// The phase learns other bits than the quantised one before it.
bool changes_bits(const Recipe& r, int phase) {
  const auto bits = [&](int p) {
    return phase_quant(r, r.phases[static_cast<std::size_t>(p)]).weight_bits;
  };
  return phase > 0 && bits(phase) != bits(phase - 1);
}

/// The float network that the quantised phases begin with becomes one whose codes are learnt.
Result<Graph> first_quantised(const Session& s, const PhaseSpec& phase, const QuantSpec& spec) {
  NBQ_ASSIGN(const Graph absorbed, absorb_norms(s.state.graph));
  NBQ_ASSIGN(
      const ActSamples samples,
      calibrate(fold_norms(absorbed), *s.train, static_cast<std::size_t>(phase.calibration_images),
                epoch_order(s.split.train, s.recipe().seed, ~std::uint64_t{0})));
  return quantise(absorbed, spec, samples);
}

bool distills(const Recipe& r) {
  return std::any_of(r.phases.begin(), r.phases.end(),
                     [](const PhaseSpec& p) { return p.quantised && p.distill > 0; });
}

/// A teacher of its own is loaded before anything is learnt.
Status load_teacher(Session& s) {
  const Recipe& r = s.recipe();
  if (r.teacher.empty() || !distills(r)) return ok_status();
  NBQ_ASSIGN(s.state.teacher, load_nbq(r.teacher));
  return check_fits(s.state.teacher, *s.train);
}

}  // namespace

Status try_phases(Session& s) {
  NBQ_TRY(try_quantising(s.recipe(), s.state.graph));
  return load_teacher(s);
}

Status begin_phase(Session& s, const PhaseSpec& phase) {
  TrainState& t = s.state;
  if (t.phase_begun) return ok_status();
  if (!phase.quantised && t.graph.stage != Stage::kFloat)
    return make_error(ErrorCode::kInvalidArgument,
                      "phase {}: a quantised network has no float phase", t.phase + 1);
  if (phase.quantised && t.graph.stage == Stage::kFloat) {
    if (std::isnan(t.metrics.float_accuracy)) {
      NBQ_ASSIGN(const EvalResult r, evaluate_images(t.graph, *s.test, {}, s.peers));
      t.metrics.float_accuracy = r.accuracy;
    }
    if (distills(s.recipe()) && t.teacher.nodes.empty()) t.teacher = t.graph;
    NBQ_ASSIGN(QuantSpec spec, choose_bits(s));
    if (phase.weight_bits != 0) spec.weight_bits = phase.weight_bits;
    NBQ_ASSIGN(t.graph, first_quantised(s, phase, spec));
    note_weights_before(t.metrics, t.graph);
  } else if (phase.quantised && changes_bits(s.recipe(), t.phase)) {
    NBQ_TRY(refit_weights(t.graph, phase_quant(s.recipe(), phase)));
  }
  if (phase.quantised && !phase.learn_norms) t.graph = fold_norms(std::move(t.graph));
  NBQ_ASSIGN(t.graph, shared_graph(*s.peers, t.graph));
  t.phase_begun = true;
  return ok_status();
}

}  // namespace nbq
