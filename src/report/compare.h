#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "report/plot.h"

namespace nbq::report {

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

/// One training of a compared row.
struct ComparedRun {
  std::uint64_t seed = 0;
  double accuracy = kAbsent;  ///< percent
  double images_per_second = 0, seconds = 0;
  std::string dir, error;  ///< error: why there is no accuracy
};

/// A row of `nbq compare`.
struct ComparedRow {
  std::string label, name, paper;
  int bits = 0;
  std::string activations;  ///< "float32", "8-bit integers"
  std::int64_t weights = 0, weight_bytes = 0;
  std::vector<ComparedRun> runs;

  std::vector<double> accuracies() const;  ///< of the runs that have one
  double mean() const;                     ///< NaN: no run
  double deviation() const;                ///< sample deviation; NaN below two runs
  double images_per_second() const;        ///< mean; NaN: no run
};

/// The first row is the float control.
struct Comparison {
  std::string name;
  bool interrupted = false;
  std::vector<std::uint64_t> seeds;
  std::vector<ComparedRow> rows;

  /// Points of accuracy that a row loses against the control, over the seeds that both have.
  double loss(const ComparedRow& row) const;
  /// Time of a step over that of the control.
  double step_ratio(const ComparedRow& row) const;
};

/// A line for each run.
std::string compare_csv(const Comparison& c);
std::string compare_json(const Comparison& c);
/// A Markdown table, a line for each row.
std::string compare_md(const Comparison& c);
/// Accuracy of each row, mean and deviation, the control's mean as a line. Labels must be of
/// letters, digits and _ - . :
Plot compare_plot(const Comparison& c);

/// Writes compare.csv, compare.json and compare.md into the folder, and compare.svg where gnuplot
/// is and a row has an accuracy. Errors kIo.
Status write_comparison(const Comparison& c, const std::string& dir);

}  // namespace nbq::report
