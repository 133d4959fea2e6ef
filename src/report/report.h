#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "core/result.h"
#include "report/inputs.h"

namespace nbq::report {

struct ReportInputs {
  std::filesystem::path dir;  ///< see Inputs for the files that are looked for
  StandIns stand_ins;         ///< for files that are absent
  double clock_mhz = 0;       ///< for images/s; 0: each simulation's own
};

/// What the three outputs are made from.
struct DemoReport {
  Inputs in;
  std::optional<double>
      clock_mhz;  ///< an assumption, not a measurement; absent: not stated, or one for each array

  /// Of the model, without control characters; "nbq" when no file tells it.
  std::string name() const;
  /// Images that every simulated array computed; without simulations, those of check.json.
  std::optional<std::int64_t> images_checked() const;
  /// Of check.json and the simulations together; of an array in both, the larger count.
  std::optional<std::int64_t> mismatches() const;
  /// For images/s of the array.
  std::optional<double> clock_of(const Array& array) const;
  /// Whether both arrays were simulated, and with other lanes or at other clocks.
  bool arrays_differ() const;
  std::optional<double> images_per_s(const Array& array) const;  ///< clock / compute cycles
};

/// Reads the folder. Errors: those of read_inputs(); kInvalidArgument: a negative clock.
Result<DemoReport> make_report(const ReportInputs& inputs);

/// report.json: one object, keys of what was not measured absent. Resources at the level of `svpe`
/// and `vpe` are xcup's; those of ECP5 are in `ecp5` below.
std::string report_json(const DemoReport& report);

/// The terminal's table, ASCII.
std::string text_table(const DemoReport& report);

/// One self-contained page. Errors kToolMissing: gnuplot, when there is something to plot.
Result<std::string> report_html(const DemoReport& report);

/// Writes report.json, then report.html, into `dir`: without gnuplot the figures are there all the
/// same.
Status write_report(const DemoReport& report, const std::filesystem::path& dir);

}  // namespace nbq::report
