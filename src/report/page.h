#pragma once
#include <string>

#include "report/report.h"

namespace nbq::report {

/// Bodies of the page's sections, HTML. Empty: no input has anything to say about it.
/// Both arrays beside each other, from their simulations and syntheses.
std::string arrays_body(const DemoReport& report);
/// What the sequencer did in each cycle.
std::string cycles_body(const DemoReport& report);
/// A row for each layer, from the network, its sensitivities and the compiler's schedule.
std::string layers_body(const DemoReport& report);
std::string energy_body(const DemoReport& report);
/// The inputs that are absent, and the commands that make them.
std::string missing_body(const DemoReport& report);

std::string upper(std::string name);  ///< "svpe" -> "SVPE"; not escaped
/// A table's cell; "not measured" looks like it.
std::string cell(const std::string& value);
/// Opens a table that scrolls sideways on its own, reached by keyboard, and named for screen
/// readers.
std::string table_start(const char* label, const char* css_class);
inline constexpr const char* kTableEnd = "</tbody></table></div>\n";

}  // namespace nbq::report
