#pragma once
#include <string>
#include <vector>

#include "report/report.h"

namespace nbq::report {

inline constexpr const char* kNotMeasured = "not measured";

std::string grouped(double v);  ///< 12,345; one decimal when it is not whole
/// For a terminal: '?' in place of each control character.
std::string printable(std::string text);

/// A figure of the network: "bytes as .nbq", "12,345", "8.1 times smaller".
struct NetworkRow {
  std::string label, value, note;
};
std::vector<NetworkRow> network_rows(const DemoReport& report);

/// A figure of both arrays; the group is "simulated RTL", "UltraScale+ (yosys, xcup)", ...
struct ArrayRow {
  std::string group, label, svpe, vpe;
  std::optional<double> ratio;  ///< SVPE's : VPE's, where that says something and both are known
};
std::vector<ArrayRow> array_rows(const DemoReport& report);

/// "3-bit", or "n-bit" when info.json is absent.
std::string bits_word(const DemoReport& report);

}  // namespace nbq::report
