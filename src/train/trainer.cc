#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <csignal>

#include "core/file.h"
#include "core/log.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "train/evaluate.h"
#include "train/initial.h"
#include "train/phase.h"
#include "train/same_training.h"
#include "train/sensitivity.h"
#include "train/step.h"

namespace nbq {
namespace {

volatile std::sig_atomic_t g_signal = 0;
void on_signal(int signal) { g_signal = signal; }

/// Catches SIGINT and SIGTERM while it lives; a second signal ends the program at once.
class SignalCatcher {
 public:
  explicit SignalCatcher(bool on) : on_(on) {
    g_signal = 0;
    if (!on_) return;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &old_int_);
    sigaction(SIGTERM, &action, &old_term_);
  }
  ~SignalCatcher() {
    if (!on_) return;
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
  }
  SignalCatcher(const SignalCatcher&) = delete;
  SignalCatcher& operator=(const SignalCatcher&) = delete;

 private:
  bool on_;
  struct sigaction old_int_ = {}, old_term_ = {};
};

/// What a training makes and another begins without.
constexpr const char* kMadeFiles[] = {"checkpoint.pt", "float.nbq", "quantised.nbq", "model.nbq",
                                      "sensitivity.json"};

DatasetSpec data_spec(const DataSpec& d, Split split) {
  DatasetSpec spec;
  spec.path = d.source;
  spec.split = split;
  spec.channels = d.channels;
  spec.height = d.crop > 0 ? d.crop : d.height;
  spec.width = d.crop > 0 ? d.crop : d.width;
  spec.resize = d.resize;
  spec.whole_pictures = split == Split::kTrain && d.max_area > 0;
  return spec;
}

Status open_data(Session& s) {
  const DataSpec& d = s.recipe().data;
  if (d.source.empty())
    return make_error(ErrorCode::kInvalidArgument,
                      "no data: the recipe has no [data] source and none was given");
  NBQ_ASSIGN(s.train, open_dataset(data_spec(d, Split::kTrain)));
  DatasetSpec test = data_spec(d, Split::kTest);
  test.channels = s.train->channels();
  test.height = s.train->height();
  test.width = s.train->width();
  NBQ_ASSIGN(s.test, open_dataset(test));
  NBQ_ASSIGN(s.split, split_indices(s.train->size(), d.validation, s.recipe().seed));
  s.state.train_data = s.train->fingerprint();
  s.state.test_data = s.test->fingerprint();
  return ok_status();
}

/// The first graph: given by init, or described and with random weights.
Result<Graph> first_graph(const Session& s) {
  const Recipe& r = s.recipe();
  Graph g;
  if (!r.init.empty()) {
    NBQ_ASSIGN(g, load_nbq(r.init));
    if (g.stage != Stage::kFloat)
      return make_error(ErrorCode::kInvalidArgument,
                        "{}: its bits and scales are chosen already; init needs a float network",
                        r.init);
    NBQ_TRY(check_fits(g, *s.train));
    if (r.restore_norms > 0) {
      NBQ_ASSIGN(
          g, restore_norms(g, *s.train, static_cast<std::size_t>(r.restore_norms), s.split.train));
    }
  } else {
    const Shape image{s.train->channels(), s.train->height(), s.train->width()};
    NBQ_ASSIGN(g, recipe_graph(r, image, static_cast<int>(s.train->class_names().size())));
    NBQ_TRY(initialise(g, r.seed));
  }
  NBQ_TRY(check_fits(g, *s.train));
  g.class_names = s.train->class_names();
  return g;
}

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

/// Finds now what the quantised phases would refuse after hours: the recipe's bits, names and
/// quantizer on this network.
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

Status resume(Session& s) {
  NBQ_ASSIGN(Checkpoint c, shared_checkpoint(*s.peers, s.checkpoint));
  TrainState& saved = c.state;
  const std::string changed = recipe_difference(saved.recipe, s.state.recipe);
  if (!changed.empty())
    return make_error(
        ErrorCode::kInvalidArgument,
        "{}: the recipe changed since this training began: {}; resume with the old recipe "
        "(recipe.toml in the run's folder) or begin another run",
        s.checkpoint.string(), changed);
  if (saved.train_data != s.state.train_data || saved.test_data != s.state.test_data)
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: the {} images of {} are not those that this training began with",
                      s.checkpoint.string(),
                      saved.train_data != s.state.train_data ? "training" : "test",
                      s.recipe().data.source);
  if (saved.threads != s.state.threads || saved.processes != s.state.processes)
    log_warn(
        "the run began with {} threads in each of {} processes and goes on with {} in {}: the last "
        "bits of the weights may differ",
        saved.threads, saved.processes, s.state.threads, s.state.processes);
  saved.threads = s.state.threads;
  saved.processes = s.state.processes;
  s.state = std::move(saved);
  s.optimizer = std::move(c.optimizer);
  return ok_status();
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
  NBQ_ASSIGN(Graph absorbed, absorb_norms(s.state.graph));
  const Graph folded = fold_norms(absorbed);
  NBQ_ASSIGN(const ActSamples samples,
             calibrate(folded, *s.train, static_cast<std::size_t>(phase.calibration_images),
                       epoch_order(s.split.train, s.recipe().seed, ~std::uint64_t{0})));
  return quantise(phase.learn_norms ? absorbed : folded, spec, samples);
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

/// Brings state.graph to the stage of the phase that begins.
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

Status end_phase(Session& s) {
  const auto& dir = s.request.run_dir;
  TrainState& t = s.state;
  const bool writes = s.peers->first();
  if (t.graph.stage == Stage::kFloat) {
    if (writes) NBQ_TRY(save_nbq(dir / "float.nbq", t.graph));
  } else if (writes) {
    NBQ_ASSIGN(const Graph integers, deploy(t.graph));
    note_weights_after(t.metrics, t.graph, integers);
    NBQ_TRY(save_nbq(dir / "quantised.nbq", t.graph));
    NBQ_TRY(save_nbq(dir / "model.nbq", integers));
  }
  ++t.phase;
  t.epoch = 0;
  t.phase_begun = false;
  if (!writes) return ok_status();
  NBQ_TRY(save_checkpoint(s.checkpoint, t, nullptr));
  if (t.graph.stage == Stage::kQuantised) NBQ_TRY(s.folder->write_learnt_weights(t.metrics));
  return s.folder->write(t.metrics);
}

std::int64_t steps_left(const Session& s) {
  const auto& phases = s.recipe().phases;
  std::int64_t left = 0;
  for (std::size_t p = static_cast<std::size_t>(s.state.phase); p < phases.size(); ++p)
    left += steps_per_epoch(s, phases[p]) * phases[p].epochs;
  if (s.state.phase < static_cast<int>(phases.size()))
    left -= s.state.step +
            s.state.epoch * steps_per_epoch(s, phases[static_cast<std::size_t>(s.state.phase)]);
  return left;
}

/// For log.txt: what could explain a difference later.
std::string describe_start(const Session& s, bool resumes) {
  const Origin& o = s.state.metrics.origin;
  std::string libraries;
  for (const auto& [name, version] : o.libraries)
    libraries += fmt::format(", {} {}", name, version);
  return fmt::format(
      "nbq {} {} \"{}\": seed {}, {} threads of {}{}; {}: {} training, {} test images", o.nbq,
      resumes ? "goes on with" : "begins", s.recipe().name, o.seed, o.threads,
      o.processor.empty() ? "an unnamed processor" : o.processor, libraries, s.recipe().data.source,
      s.split.train.size(), s.test->size());
}

/// For log.txt: how the training ended.
std::string describe_end(const TrainReport& r) {
  if (r.interrupted) return r.message;
  const auto part = [](const char* what, double accuracy) {
    return std::isnan(accuracy) ? std::string() : fmt::format(", {} {:.2f} %", what, accuracy);
  };
  return fmt::format("done: {} epochs, {:.1f} s{}{}", r.metrics.epochs.size(), r.metrics.seconds,
                     part("float", r.metrics.float_accuracy),
                     part("integer network", r.metrics.nbit_accuracy));
}

/// What is in run_dir allows what is asked for.
Status check_run_dir(const TrainRequest& q, const std::filesystem::path& checkpoint) {
  std::error_code ignored;
  if (q.resume && !std::filesystem::exists(checkpoint, ignored))
    return make_error(ErrorCode::kBadFile, "{}: there is no such checkpoint to resume",
                      checkpoint.string());
  if (!q.resume && !q.overwrite)
    for (const char* made : {"checkpoint.pt", "float.nbq", "quantised.nbq", "model.nbq"})
      if (std::filesystem::exists(q.run_dir / made, ignored))
        return make_error(
            ErrorCode::kInvalidArgument,
            "{} is there already: resume that training, choose another folder, or allow "
            "overwriting",
            (q.run_dir / made).string());
  return ok_status();
}

/// Begins or goes on with the records in run_dir.
Status open_folder(Session& s) {
  const TrainRequest& q = s.request;
  std::error_code ignored;
  if (!q.resume)
    for (const char* old : kMadeFiles) std::filesystem::remove(q.run_dir / old, ignored);
  NBQ_ASSIGN(s.folder, RunFolder::open(q.run_dir, q.resume));
  s.folder->note(describe_start(s, q.resume));
  return q.resume ? ok_status() : write_file(q.run_dir / "recipe.toml", s.state.recipe);
}

Status prepare(Session& s) {
  const TrainRequest& q = s.request;
  s.checkpoint = q.run_dir / "checkpoint.pt";
  if (s.peers->first()) NBQ_TRY(check_run_dir(q, s.checkpoint));
  use_threads(q.threads, q.peers ? q.peers->local_size : 1);
  keep_memory();
  s.state.threads = at::get_num_threads();
  s.state.processes = s.peers->size();
  s.state.recipe = recipe_toml(q.recipe);
  const std::string& precision = q.recipe.precision;
  s.may_use_bfloat16 = precision == "bfloat16" || (precision == "auto" && cpu_has_fast_bfloat16());
  NBQ_TRY(open_data(s));
  NBQ_TRY(check_same_training(*s.peers, s.state));
  if (q.resume) {
    NBQ_TRY(resume(s));
  } else {
    NBQ_ASSIGN(s.state.graph, first_graph(s));
    NBQ_TRY(try_quantising(q.recipe, s.state.graph));
    NBQ_TRY(load_teacher(s));
  }
  Metrics& m = s.state.metrics;
  m.name = q.recipe.name;
  m.class_names = s.train->class_names();
  m.origin = origin_of(q.recipe, s.state.threads);
  return s.peers->first() ? open_folder(s) : ok_status();
}

Result<TrainReport> run_phases(Session& s) {
  const TrainRequest& request = s.request;
  Progress progress(request.quiet || !s.peers->first(), steps_left(s));
  s.progress = &progress;
  TrainReport report;
  while (s.state.phase < static_cast<int>(request.recipe.phases.size())) {
    NBQ_TRY(begin_phase(s, request.recipe.phases[static_cast<std::size_t>(s.state.phase)]));
    NBQ_ASSIGN(const Outcome outcome, run_phase(s));
    if (outcome == Outcome::kInterrupted) {
      report.interrupted = true;
      report.message = fmt::format(
          "stopped in phase {}, epoch {}, after step {}; everything is in {}: "
          "resume this run to go on exactly there",
          s.state.phase + 1, s.state.epoch + 1, s.state.step, s.checkpoint.string());
      break;
    }
    NBQ_TRY(end_phase(s));
  }
  report.metrics = s.state.metrics;
  const auto made = [&](const char* name) {
    const auto path = request.run_dir / name;
    return std::filesystem::exists(path) ? path : std::filesystem::path();
  };
  report.float_model = made("float.nbq");
  report.integer_model = made("model.nbq");
  return report;
}

Result<TrainReport> run(const TrainRequest& request) {
  if (request.recipe.phases.empty())
    return make_error(ErrorCode::kInvalidArgument, "the recipe has no phase to train");
  Session s(request);
  // Before signals are caught: until the others are here, Ctrl-C ends the waiting.
  std::unique_ptr<Peers> peers = no_peers();
  if (request.peers) {
    NBQ_ASSIGN(peers, connect(*request.peers));
  }
  s.peers = peers.get();
  const SignalCatcher signals(request.handle_signals);
  s.stop_asked = [] { return g_signal != 0; };
  NBQ_TRY(prepare(s));
  const auto report = guard_torch([&] { return run_phases(s); });
  if (s.folder)
    s.folder->note(report.ok() ? describe_end(*report) : "stopped: " + report.error().message);
  if (report.ok()) peers->wait();  // until rank 0 has written everything
  return report;
}

}  // namespace

Result<TrainReport> train(const TrainRequest& request) {
  return guard_torch([&] { return run(request); });
}

}  // namespace nbq
