#pragma once
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "model/graph.h"

namespace nbq {

/// One line of log.csv. Accuracies in percent; NaN: not measured.
struct EpochRow {
  int phase = 0;              ///< from 0
  std::string kind;           ///< "float", "quantised"
  int epoch = 0;              ///< within the phase, from 1
  double loss = 0;            ///< mean of the training steps
  double train_accuracy = 0;  ///< of the training steps, on augmented images
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  double test_accuracy =
      std::numeric_limits<double>::quiet_NaN();  ///< quantised: of Q(W), in integers
  double lr = 0;                                 ///< at the epoch's last step
  double alpha = 0;                              ///< likewise; 1 in float phases
  double images_per_second = 0;
  double seconds = 0;  ///< training and evaluation
};

/// Counts of values in equal bins over [lo, hi].
struct Histogram {
  double lo = 0, hi = 0;
  std::vector<std::int64_t> counts;
};
Histogram make_histogram(const std::vector<float>& values, int bins = 64);

/// Weights of a layer over the quantised phases.
struct WeightHistograms {
  std::string layer;
  int bits = 0;
  Histogram before;     ///< float weights when the quantised phase began
  Histogram after;      ///< W at its end
  Histogram quantised;  ///< Q(W) at its end
  std::vector<std::pair<int, std::int64_t>>
      levels;  ///< integer level (-2^(K-1)..2^(K-1)) and its count
};

/// What made a training: enough to make it again.
struct Origin {
  std::string nbq;  ///< version, and the commit where it was known when nbq was built
  std::uint64_t seed = 0;
  int threads = 0;                                             ///< of the host that computed
  std::string processor;                                       ///< its name; may be empty
  std::vector<std::pair<std::string, std::string>> libraries;  ///< name, version
};

/// What metrics.json holds.
struct Metrics {
  std::string name;
  Origin origin;
  std::vector<EpochRow> epochs;
  std::vector<WeightHistograms> weights;
  double float_accuracy = std::numeric_limits<double>::quiet_NaN();  ///< test, last epoch
  double nbit_accuracy = std::numeric_limits<double>::quiet_NaN();   ///< test, integers, last epoch
  double seconds = 0;                                                ///< in all sessions
  std::vector<std::string> class_names;
  /// Of the last evaluation on test images, classes x classes, row-major: images of the row's class
  /// that were given the column's. Empty: none yet.
  std::vector<std::int64_t> confusion;
};

/// {"name", "float_accuracy", "nbit_accuracy", "seconds", "origin": {...}, "classes": [...],
/// "confusion": [[...]], "epochs": [...], "weights": [...]}; null: not measured.
std::string metrics_json(const Metrics& metrics);
/// Without origin, classes and confusion too, which nbq 0.1's first files lack. Errors kBadFile:
/// not such JSON.
Result<Metrics> parse_metrics(std::string_view json);
/// log.csv: a header and a line for each epoch.
std::string metrics_csv(const Metrics& metrics);

/// Notes the weights of a graph that begins (kQuantised) or ends (its weights and the deployed
/// codes) its quantised phases.
void note_weights_before(Metrics& metrics, const Graph& quantised);
void note_weights_after(Metrics& metrics, const Graph& quantised, const Graph& integers);

}  // namespace nbq
