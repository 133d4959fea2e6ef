#pragma once
#include <string>

#include "hw/energy/slice.h"

namespace nbq::hw {

/// Powers in watts, as OpenSTA's report_power totals them.
struct PowerTotals {
  double internal = 0, switching = 0, leakage = 0;
};

/// The Total row of report_power's table. Error kBadFile: there is none.
Result<PowerTotals> parse_report_power(const std::string& report);

struct StaResult {
  std::string version;
  double slack_ns = 0;  ///< worst setup slack
  PowerTotals power;    ///< at kStaActivity transitions a clock cycle on every net
};
inline constexpr double kStaActivity = 0.1;

/// OpenSTA's timing and power of the slice at the clock. Its power at one activity everywhere
/// checks how nbq reads the Liberty file: see uniform_power(). Errors: kToolMissing (sta), kBadFile
/// (it failed; end of its log).
Result<StaResult> run_sta(const Gates& slice, const CellLibrary& library, double clock_mhz);

/// What nbq makes of the same question in the way of that version of OpenSTA. Before 2.1 it takes
/// the sum of a rise's and a fall's energy for each transition of an output and of the clock; since
/// then, as nbq's own figures do, one of the two.
PowerTotals uniform_power(const Netlist& netlist, const Electrical& electrical,
                          const CellLibrary& library, double clock_mhz, const std::string& version);

}  // namespace nbq::hw
