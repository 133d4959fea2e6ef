#include "train/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nbq {
namespace {

double constant_rate(const PhaseSpec& p, double) { return p.lr; }

double step_rate(const PhaseSpec& p, double epoch) {
  const double every = p.step_epochs > 0 ? p.step_epochs : p.epochs / 3.0;
  return p.lr * std::pow(p.factor, std::floor(epoch / every));
}

double cosine_rate(const PhaseSpec& p, double epoch) {
  const double t = std::min(1.0, epoch / p.epochs);
  return p.lr_end + (p.lr - p.lr_end) * 0.5 * (1 + std::cos(std::numbers::pi * t));
}

/// Steps of the phase before its last `epochs`.
std::int64_t steps_before(const PhaseSpec& p, double epochs, std::int64_t steps_per_epoch) {
  const double before = std::max(0.0, p.epochs - epochs);
  return std::llround(before * static_cast<double>(steps_per_epoch));
}

/// Steps in which 1 - alpha goes from its first value to its last.
std::int64_t ramp_steps(const PhaseSpec& p, std::int64_t learning, std::int64_t steps_per_epoch) {
  if (p.alpha_epochs <= 0) return learning;
  return std::max<std::int64_t>(
      1, std::llround(p.alpha_epochs * static_cast<double>(steps_per_epoch)));
}

double geometric(double from, double to, double t) { return from * std::pow(to / from, t); }
double linear(double from, double to, double t) { return from + (to - from) * t; }
double constant(double from, double, double) { return from; }

}  // namespace

std::span<const LrRow> lr_rows() {
  static constexpr LrRow kRows[] = {
      {"cosine", cosine_rate}, {"step", step_rate}, {"constant", constant_rate}};
  return kRows;
}

std::span<const AlphaRow> alpha_rows() {
  static constexpr AlphaRow kRows[] = {
      {"geometric", geometric}, {"linear", linear}, {"constant", constant}};
  return kRows;
}

std::span<const GradientRow> gradient_rows() {
  static constexpr GradientRow kRows[] = {
      // arXiv:2004.02396: the true derivative of W - alpha (W - Q(W)), Q being piecewise constant.
      {"reconstructed", [](double alpha) { return alpha; }, [](double alpha) { return 1 - alpha; }},
      // The straight-through estimate: Q(W) forward, as if it were W backward.
      {"ste", [](double) { return 1.0; }, [](double) { return 1.0; }}};
  return kRows;
}

double learning_rate(const PhaseSpec& phase, std::int64_t step, std::int64_t steps_per_epoch) {
  const double epoch = static_cast<double>(step) / static_cast<double>(steps_per_epoch);
  const double warmup = phase.warmup_epochs * static_cast<double>(steps_per_epoch);
  const double rate = find_row(lr_rows(), phase.schedule).rate(phase, epoch);
  return static_cast<double>(step) < warmup ? rate * (static_cast<double>(step) + 1) / (warmup + 1)
                                            : rate;
}

std::int64_t exps_lock_at(const PhaseSpec& phase, std::int64_t steps_per_epoch) {
  return steps_before(phase, phase.lock_exps_epochs, steps_per_epoch);
}

std::int64_t norms_settle_at(const PhaseSpec& phase, std::int64_t steps_per_epoch) {
  return steps_before(phase, phase.settle_norms_epochs, steps_per_epoch);
}

std::int64_t norms_freeze_at(const PhaseSpec& phase, std::int64_t steps_per_epoch) {
  return steps_before(phase, phase.freeze_norms_epochs, steps_per_epoch);
}

double alpha_at(const PhaseSpec& phase, std::int64_t step, std::int64_t steps_per_epoch) {
  const std::int64_t learning = steps_before(phase, phase.final_epochs_at_one, steps_per_epoch);
  if (!phase.quantised || step >= learning) return 1;
  const std::int64_t ramp = std::min(learning, ramp_steps(phase, learning, steps_per_epoch));
  const double t =
      ramp > 1 ? std::min(1.0, static_cast<double>(step) / static_cast<double>(ramp - 1)) : 1.0;
  const AlphaRow& row = find_row(alpha_rows(), phase.alpha);
  return 1 - row.one_minus_alpha(phase.one_minus_alpha_from, phase.one_minus_alpha_to, t);
}

}  // namespace nbq
