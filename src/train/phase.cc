#include "train/phase.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "train/device.h"
#include "train/evaluate.h"
#include "train/same_training.h"
#include "train/schedules.h"
#include "train/step.h"
#include "train/weight_average.h"

namespace nbq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kFollowSteps = 20;  // statistics that move over 10 have settled
constexpr int kSettleBatches = 20;
/// Of the norms' momentum, which falls with the rate: weights that learn less move their statistics
/// less, and what is left of the batches' noise would make codes flicker.
constexpr double kSlowestPace = 0.05;
constexpr double kAdaptMomentum = 0.3;
constexpr int kAdaptEvery = 4;  // batches between two looks at the exponents

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// One phase's tools; the session's state says where it is.
class PhaseRun {
 public:
  PhaseRun(Session& s, TorchNet net, std::optional<TorchNet> teacher)
      : s_(s),
        spec_(s.recipe().phases[static_cast<std::size_t>(s.state.phase)]),
        net_(std::move(net)),
        step_(spec_, net_, std::move(teacher), s.may_use_bfloat16, s.peers),
        average_(spec_.ema, net_.params()),
        steps_(steps_per_epoch(s, spec_)),
        freeze_at_(norms_freeze_at(spec_, steps_)),
        settle_at_(std::min(norms_settle_at(spec_, steps_), freeze_at_)),
        lock_at_(std::min(exps_lock_at(spec_, steps_), settle_at_)) {}

  Result<Outcome> run();

 private:
  Result<Outcome> run_epoch();
  LoaderOptions loader_options() const;
  /// Where and how the next step goes: its rate and alpha, and the pass.
  Pass begin_step(const Batch& batch);
  Status train_step(const Batch& batch);
  /// What happens to exponents and norms between two steps.
  Status before_step(std::int64_t at_step);
  Status follow_exps();
  bool settles() const { return spec_.quantised && spec_.settle_norms_epochs > 0; }
  using PassOf = std::function<Result<Pass>(int before)>;
  /// A pass over some batches of Q(W), in an order of its own. Returns how many there were.
  Result<int> pass_over(int batches, const PassOf& pass);
  /// Before anything is learnt, scales and exponents come to terms with Q(W).
  Status adapt();
  /// Norms' gains anew, before they stand still.
  Status settle();
  /// Norms' means anew, before they freeze.
  Status reestimate();
  /// The network as it is evaluated and kept.
  Graph result();
  Status finish_epoch();
  Status save();
  Error diverged(const at::Tensor& image, const Pass& pass, const std::string& found) const;
  std::string phase_name() const;

  Session& s_;
  const PhaseSpec& spec_;
  TorchNet net_;
  TrainStep step_;
  WeightAverage average_;
  std::int64_t steps_;
  std::int64_t freeze_at_, settle_at_,
      lock_at_;  ///< never in another order than lock, settle, freeze
  double lr_ = 0, alpha_ = 1;
  bool stop_ = false;  ///< all processes know it
};

std::string PhaseRun::phase_name() const {
  if (!spec_.quantised)
    return spec_.has_method() ? fmt::format("{}-bit {}", spec_.bits, spec_.method) : "float";
  if (s_.recipe().budget.bytes != 0) return "mixed bits";
  return fmt::format("{}-bit", phase_quant(s_.recipe(), spec_).weight_bits);
}

Error PhaseRun::diverged(const at::Tensor& image, const Pass& pass,
                         const std::string& found) const {
  std::string where = net_.first_non_finite();
  if (where.empty() && image.defined()) {
    const at::NoGradGuard no_grad;
    Pass again = pass;
    again.training = false;
    net_.forward(image, again, [&](int id, const at::Tensor& y) {
      if (where.empty() && !at::isfinite(y).all().item<bool>())
        where = net_.structure().nodes[static_cast<std::size_t>(id)].name;
    });
  }
  const TrainState& t = s_.state;
  const bool kept = std::filesystem::exists(s_.checkpoint);
  return make_error(ErrorCode::kDiverged,
                    "training diverged: {} in phase {} ({}), epoch {}, step {}; the first layer "
                    "with a value that is not "
                    "finite: {}. Lower the learning rate (lr = {}). {}",
                    found, t.phase + 1, phase_name(), t.epoch + 1, t.step + 1,
                    where.empty() ? "the loss itself" : where, spec_.lr,
                    kept ? "The last good checkpoint is " + s_.checkpoint.string()
                         : "There is no checkpoint yet");
}

Pass PhaseRun::begin_step(const Batch& batch) {
  const std::int64_t at_step = s_.state.epoch * steps_ + s_.state.step;
  lr_ = learning_rate(spec_, at_step, steps_);
  alpha_ = alpha_at(spec_, at_step, steps_);
  net_.begin_step(static_cast<double>(at_step) / static_cast<double>(steps_ * spec_.epochs));
  const GradientRow& gradient = find_row(gradient_rows(), spec_.gradient);
  return {.training = true,
          .freeze_norms = at_step >= freeze_at_,
          .norms = {spec_.sync_norms && !s_.peers->alone() ? s_.peers : nullptr, batch.size() == 0},
          .norm_pace = spec_.lr > 0 ? std::clamp(lr_ / spec_.lr, kSlowestPace, 1.0) : 1.0,
          .means_only = settles() && at_step >= settle_at_,
          .blend = gradient.blend(alpha_),
          .slope = gradient.slope(alpha_)};
}

Status PhaseRun::train_step(const Batch& batch) {
  TrainState& t = s_.state;
  const Pass pass = begin_step(batch);
  const TrainStep::Result r = step_.run(batch, lr_, pass, s_.stop_asked());
  if (!std::isfinite(r.loss))
    return diverged(batch.size() == 0 ? at::Tensor() : step_.image_of(batch), pass,
                    fmt::format("the loss is {}", r.loss));
  net_.after_step();
  // Quantised layers read their norms' statistics: they must be the same ones everywhere.
  if (!spec_.sync_norms) s_.peers->broadcast_all(net_.statistics());
  average_.update(t.epoch * steps_ + t.step + 1);
  t.loss_sum += r.loss * static_cast<double>(r.images);
  t.correct += r.correct;
  t.seen += r.images;
  stop_ = r.stop;
  return ok_status();
}

Status PhaseRun::before_step(std::int64_t at_step) {
  if (!spec_.quantised || !spec_.learn_norms) return ok_status();
  if (at_step == 0) NBQ_TRY(adapt());
  if (at_step > 0 && at_step < lock_at_ && at_step % kFollowSteps == 0) NBQ_TRY(follow_exps());
  if (settles() && at_step == settle_at_) NBQ_TRY(settle());
  if (at_step == freeze_at_) NBQ_TRY(reestimate());
  return ok_status();
}

Result<int> PhaseRun::pass_over(int batches, const PassOf& pass) {
  LoaderOptions options = loader_options();
  options.epoch = ~std::uint64_t{1};  // an order of its own
  options.first_batch = 0;
  BatchLoader loader(s_.train, s_.split.train, options);
  const at::NoGradGuard no_grad;
  Batch batch;
  int seen = 0;
  for (; seen < batches; ++seen) {
    NBQ_ASSIGN(const bool more, loader.next(batch));
    if (!more) break;
    const bool idle = batch.size() == 0;
    NBQ_ASSIGN(Pass p, pass(seen));
    p.training = true;
    p.norms = {s_.peers->alone() ? nullptr : s_.peers, idle};
    net_.forward(step_.image_of(idle ? step_.stand_in() : batch), p);
  }
  return seen;
}

Status PhaseRun::follow_exps() {
  return net_.follow_exps(s_.recipe().quant.granularity == ScaleGranularity::kPerLayer);
}

Status PhaseRun::adapt() {
  const auto batches = static_cast<int>(std::min<std::int64_t>(spec_.adapt_batches, steps_));
  const auto pass = [&](int before) -> Result<Pass> {
    const bool looks = before % kAdaptEvery == kAdaptEvery - 1;
    // The last batches only settle the statistics.
    if (looks && before + 2 * kAdaptEvery < batches) NBQ_TRY(follow_exps());
    return Pass{.norm_momentum = kAdaptMomentum};
  };
  NBQ_TRY(pass_over(batches, pass));
  return ok_status();
}

Status PhaseRun::settle() {
  std::map<int, BatchStatistics> found;
  NBQ_ASSIGN(const int seen, pass_over(std::max(spec_.reestimate_batches, kSettleBatches),
                                       [&](int) { return Pass{.seen = &found}; }));
  net_.settle_norms(found, seen);
  average_.take_norms(net_.params());
  return ok_status();
}

Status PhaseRun::reestimate() {
  NBQ_TRY(pass_over(spec_.reestimate_batches, [](int before) {
    return Pass{.norm_momentum = 1.0 / (before + 1), .means_only = true};
  }));
  return ok_status();
}

Graph PhaseRun::result() {
  const Averaged averaged(average_);
  return net_.quantised_graph();
}

Status PhaseRun::save() {
  if (const std::string bad = net_.first_non_finite(); !bad.empty())
    return diverged({}, Pass{}, bad + " is not finite");
  NBQ_TRY(check_same_numbers(*s_.peers, net_));
  if (!s_.peers->first()) return ok_status();
  s_.state.graph = net_.graph();
  s_.state.average = average_.values();
  s_.state.methods = net_.method_state();
  return save_checkpoint(s_.checkpoint, s_.state, &step_.optimizer().impl());
}

Status PhaseRun::finish_epoch() {
  TrainState& t = s_.state;
  const auto start = Clock::now();
  EpochRow row;
  row.phase = t.phase;
  row.kind = spec_.quantised ? "quantised" : "float";
  row.epoch = t.epoch + 1;
  const double seen = static_cast<double>(std::max<std::int64_t>(t.seen, 1));
  row.loss = t.loss_sum / seen;
  row.train_accuracy = 100.0 * static_cast<double>(t.correct) / seen;
  row.images_per_second = seen / std::max(t.epoch_seconds, 1e-9);
  row.lr = learning_rate(spec_, (t.epoch + 1) * steps_ - 1, steps_);
  row.alpha = alpha_at(spec_, (t.epoch + 1) * steps_ - 1, steps_);
  const bool validates = !s_.split.validation.empty();
  const bool last = t.epoch + 1 == spec_.epochs;
  if (const std::string bad = net_.first_non_finite(); !bad.empty())
    return diverged({}, Pass{}, bad + " is not finite");
  const Graph made = result();
  if (validates) {
    NBQ_ASSIGN(const EvalResult r, evaluate_images(made, *s_.train, s_.split.validation, s_.peers));
    row.validation_accuracy = r.accuracy;
  }
  if (!validates || last) {
    NBQ_ASSIGN(const EvalResult r, evaluate_images(made, *s_.test, {}, s_.peers));
    row.test_accuracy = r.accuracy;
    t.metrics.confusion = r.confusion;
    if (last) (spec_.quantised ? t.metrics.nbit_accuracy : t.metrics.float_accuracy) = r.accuracy;
  }
  row.seconds = t.epoch_seconds + seconds_since(start);
  t.metrics.seconds += row.seconds;
  t.metrics.epochs.push_back(row);
  if (s_.progress != nullptr) s_.progress->epoch(phase_name(), spec_.epochs, row);
  ++t.epoch;
  ++t.epochs_done;
  t.step = 0;
  t.loss_sum = t.epoch_seconds = 0;
  t.correct = t.seen = 0;
  NBQ_TRY(save());
  return s_.folder ? s_.folder->write(t.metrics) : ok_status();
}

LoaderOptions PhaseRun::loader_options() const {
  LoaderOptions options;
  options.batch_size = static_cast<std::size_t>(spec_.batch);
  options.shuffle = true;
  options.seed = s_.recipe().seed;
  options.epoch = static_cast<std::uint64_t>(s_.state.epochs_done);
  const DataSpec& d = s_.recipe().data;
  options.augment = {d.pad_crop, d.flip, d.min_area, d.max_area};
  options.first_batch = static_cast<std::size_t>(s_.state.step);
  options.part = static_cast<std::size_t>(s_.peers->rank());
  options.parts = static_cast<std::size_t>(s_.peers->size());
  options.threads = at::get_num_threads() > 2 ? 2 : 1;
  return options;
}

Result<Outcome> PhaseRun::run_epoch() {
  TrainState& t = s_.state;
  BatchLoader loader(s_.train, s_.split.train, loader_options());
  Batch batch;
  auto start = Clock::now();
  for (;;) {
    NBQ_ASSIGN(const bool more, loader.next(batch));
    if (!more) break;
    NBQ_TRY(before_step(t.epoch * steps_ + t.step));
    NBQ_TRY(train_step(batch));
    ++t.step;
    ++t.steps_done;
    t.epoch_seconds += seconds_since(start);
    start = Clock::now();
    if (s_.progress != nullptr) {
      const double seen = static_cast<double>(t.seen);
      s_.progress->step({phase_name(), t.epoch + 1, spec_.epochs, t.step, steps_, t.loss_sum / seen,
                         100.0 * static_cast<double>(t.correct) / seen,
                         seen / std::max(t.epoch_seconds, 1e-9)});
    }
    // A signal that comes within a step is known to all processes after the next one.
    const bool stop = stop_ || (s_.peers->alone() && s_.stop_asked()) ||
                      (s_.request.stop && s_.request.stop(t.steps_done));
    const std::int64_t every = s_.request.checkpoint_steps;
    if (stop || (every > 0 && t.steps_done % every == 0)) NBQ_TRY(save());
    if (stop) return Outcome::kInterrupted;
  }
  return Outcome::kDone;
}

Result<Outcome> PhaseRun::run() {
  if (s_.optimizer) NBQ_TRY(load_optimizer(*s_.optimizer, step_.optimizer().impl()));
  s_.optimizer.reset();
  if (!s_.state.methods.empty()) NBQ_TRY(net_.restore_methods(s_.state.methods));
  if (!s_.state.average.empty()) NBQ_TRY(average_.restore(s_.state.average));
  while (s_.state.epoch < spec_.epochs) {
    NBQ_ASSIGN(const Outcome outcome, run_epoch());
    if (outcome == Outcome::kInterrupted) return outcome;
    NBQ_TRY(finish_epoch());
  }
  s_.state.graph = result();
  s_.state.average.clear();
  s_.state.methods.clear();
  return Outcome::kDone;
}

}  // namespace

Result<Outcome> run_phase(Session& session) {
  const PhaseSpec& spec = session.recipe().phases[static_cast<std::size_t>(session.state.phase)];
  NBQ_ASSIGN(TorchNet net, TorchNet::create(session.state.graph));
  if (spec.has_method()) {
    NBQ_ASSIGN(const MethodRow* row, find_method(spec.method));
    if (method_layers(net.structure(), spec.first_last_float).empty())
      return make_error(ErrorCode::kInvalidArgument,
                        "{}: with the first and the last layer in float none is left to quantise; "
                        "set first_last_float = false",
                        spec.method);
    net.use_method(*row, spec.bits, spec.first_last_float);
  }
  std::optional<TorchNet> teacher;
  if (spec.quantised && spec.distill > 0) {
    NBQ_ASSIGN(teacher, TorchNet::for_evaluation(session.state.teacher));
  }
  PhaseRun run(session, std::move(net), std::move(teacher));
  return run.run();
}

QuantSpec phase_quant(const Recipe& recipe, const PhaseSpec& phase) {
  QuantSpec spec = recipe.quant;
  if (phase.weight_bits != 0) spec.weight_bits = phase.weight_bits;
  return spec;
}

std::int64_t steps_per_epoch(const Session& s, const PhaseSpec& phase) {
  return (static_cast<std::int64_t>(s.split.train.size()) + phase.batch - 1) / phase.batch;
}

bool has_fast_bfloat16() {
  if (!compute_device().is_cpu()) return false;
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return false;
  unsigned enabled = 0, high = 0;
  __asm__("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
  constexpr unsigned kVectors = 7u << 5, kTiles = 3u << 17;
  if ((enabled & kTiles) == kTiles && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
      (d & (1u << 22)) != 0)  // AMX-BF16
    return true;
  return __builtin_cpu_is("amd") != 0 && (enabled & kVectors) == kVectors &&
         __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1u << 5)) != 0;  // AVX512-BF16
#else
  return false;
#endif
}

}  // namespace nbq
