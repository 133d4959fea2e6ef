#pragma once
#include "train/compare_rows.h"
#include "train/trainer.h"
#include "train/weight_methods.h"

namespace nbq {

/// What `nbq compare` asks for.
struct CompareRequest {
  Recipe recipe;                 ///< its float phases, or its init, make what every row begins with
  std::vector<CompareRow> rows;  ///< of choose_rows()
  std::vector<std::uint64_t> seeds;  ///< each row learns once with each
  /// Gets a run folder for each training: seed<S>/shared (the float phases) and seed<S>/<label>.
  std::filesystem::path out;
  bool resume = false;         ///< skip finished runs and go on with begun ones
  int threads = 0;             ///< 0: one a core
  std::string device = "cpu";  ///< as TrainRequest's
  bool quiet = false;
  bool handle_signals = true;
  std::function<bool(std::int64_t steps_done)> stop;  ///< as TrainRequest's, in every run
};

/// One training of a row.
struct CompareRun {
  std::uint64_t seed = 0;
  std::filesystem::path dir;
  double accuracy = 0;           ///< percent of the test images, at the last epoch
  double images_per_second = 0;  ///< median over the epochs
  double seconds = 0;
  std::string error;  ///< why there is no accuracy (it diverged); empty: there is one
};

struct CompareResult {
  CompareRow row;
  WeightSize size;
  std::vector<CompareRun> runs;  ///< finished or failed ones
};

struct CompareReport {
  bool interrupted = false;
  std::string message;  ///< when interrupted: where
  std::vector<CompareResult> rows;
  bool failed() const;  ///< a run has an error
};

/// Trains every row with every seed, seed after seed: the same first network, images, order of
/// images, epochs and evaluation. A row that fails is noted and the others go on. Errors: those of
/// train() for the shared phases, and kIo.
Result<CompareReport> compare(const CompareRequest& request);

}  // namespace nbq
