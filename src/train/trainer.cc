#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "core/file.h"
#include "core/log.h"
#include "model/nbq_file.h"
#include "train/device.h"
#include "train/evaluate.h"
#include "train/initial.h"
#include "train/phase.h"
#include "train/phase_change.h"
#include "train/same_training.h"
#include "train/signals.h"
#include "train/step.h"

namespace nbq {
namespace {

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

/// Convolutions, and none with a batch norm: as exporters leave a network.
bool norms_are_folded(const Graph& g) {
  const auto has = [&g](OpKind kind) {
    return std::any_of(g.nodes.begin(), g.nodes.end(),
                       [kind](const Node& n) { return n.kind() == kind; });
  };
  return has(OpKind::kConv2d) && !has(OpKind::kBatchNorm);
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
    } else if (norms_are_folded(g)) {
      log_warn(
          "{} has no batch norms: if its exporter folded them, restore_norms = 1024 in the recipe "
          "gives them back; without them a deep network hardly learns",
          r.init);
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
  if (saved.device != s.state.device)
    log_warn("the run began on {} and goes on on {}: the weights will not be the same",
             saved.device, s.state.device);
  if (saved.threads != s.state.threads || saved.processes != s.state.processes)
    log_warn(
        "the run began with {} threads in each of {} processes and goes on with {} in {}: the last "
        "bits of the weights may differ",
        saved.threads, saved.processes, s.state.threads, s.state.processes);
  saved.threads = s.state.threads;
  saved.device = s.state.device;
  saved.processes = s.state.processes;
  s.state = std::move(saved);
  s.optimizer = std::move(c.optimizer);
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
            "{} is there already: go on with that training (--resume), choose another folder, "
            "or --overwrite",
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

/// "cuda" in one of many processes of this machine: a device of its own, as far as they go.
std::string device_of(const TrainRequest& q) {
  if (q.device != "cuda" || !q.peers) return q.device;
  const auto devices = std::max(1, static_cast<int>(torch::cuda::device_count()));
  return fmt::format("cuda:{}", q.peers->rank % q.peers->local_size % devices);
}

Status prepare(Session& s) {
  const TrainRequest& q = s.request;
  s.checkpoint = q.run_dir / "checkpoint.pt";
  if (s.peers->first()) NBQ_TRY(check_run_dir(q, s.checkpoint));
  use_threads(q.threads, q.peers ? q.peers->local_size : 1);
  keep_memory();
  NBQ_TRY(use_device(device_of(q)));
  s.state.device = compute_device().type() == at::kCPU ? "cpu" : device_name();
  s.state.threads = at::get_num_threads();
  s.state.processes = s.peers->size();
  s.state.recipe = recipe_toml(q.recipe);
  const std::string& precision = q.recipe.precision;
  s.may_use_bfloat16 = precision == "bfloat16" || (precision == "auto" && has_fast_bfloat16());
  NBQ_TRY(open_data(s));
  NBQ_TRY(check_same_training(*s.peers, s.state));
  if (q.resume) {
    NBQ_TRY(resume(s));
  } else {
    NBQ_ASSIGN(s.state.graph, first_graph(s));
    NBQ_TRY(try_phases(s));
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
  s.stop_asked = [] { return SignalCatcher::caught(); };
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
