#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/recipe.h"

// Rows of what a recipe chooses by name. A new one is a function and a row.
namespace nbq {

/// How the learning rate goes: a factor of phase.lr at `epoch` (fractional) of the phase.
struct LrRow {
  std::string_view name;
  double (*rate)(const PhaseSpec& phase, double epoch);
};
/// How 1 - alpha goes from `from` to `to`, at t in [0, 1].
struct AlphaRow {
  std::string_view name;
  double (*one_minus_alpha)(double from, double to, double t);
};
/// How weights enter a quantised forward pass, and their gradient.
struct GradientRow {
  std::string_view name;
  double (*blend)(double alpha);  ///< W~ = (1 - blend) W + blend Q(W)
  double (*slope)(double alpha);  ///< dW~/dW
};

std::span<const LrRow> lr_rows();
std::span<const AlphaRow> alpha_rows();
std::span<const GradientRow> gradient_rows();

/// Names of the rows of optimizers.cc.
std::vector<std::string> optimizer_names();

/// Names of rows, for choices and messages.
template <class Row>
std::vector<std::string> row_names(std::span<const Row> rows) {
  std::vector<std::string> names;
  for (const Row& r : rows) names.emplace_back(r.name);
  return names;
}
/// The row of that name; the recipe's reader made sure that it is there.
template <class Row>
const Row& find_row(std::span<const Row> rows, std::string_view name) {
  for (const Row& r : rows)
    if (r.name == name) return r;
  NBQ_CHECK(!"a row of this name");
  return rows[0];
}

/// Learning rate at step `step` of `steps_per_epoch` a epoch, warm-up included.
double learning_rate(const PhaseSpec& phase, std::int64_t step, std::int64_t steps_per_epoch);
/// From this step of a phase on exponents are locked.
std::int64_t exps_lock_at(const PhaseSpec& phase, std::int64_t steps_per_epoch);
/// From this step of a phase on the gains and scales of norms that layers have taken up stand
/// still.
std::int64_t norms_settle_at(const PhaseSpec& phase, std::int64_t steps_per_epoch);
/// Norms that layers have taken up work with their running statistics from this step of a phase on.
std::int64_t norms_freeze_at(const PhaseSpec& phase, std::int64_t steps_per_epoch);
/// alpha of that step: 1 in float phases and in the last final_epochs_at_one epochs.
double alpha_at(const PhaseSpec& phase, std::int64_t step, std::int64_t steps_per_epoch);

}  // namespace nbq
