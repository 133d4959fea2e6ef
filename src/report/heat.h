#pragma once
#include <string>

#include "report/inputs.h"

namespace nbq::report {

/// Sections of the page, tables whose cells are shaded by their value; empty: nothing was measured.
/// Confusions of the last evaluation on test images. With more classes than a page can show, the
/// most frequent confusions are listed.
std::string confusion_section(const Training& training);
/// Rise of the loss with each layer alone at other bits.
std::string sensitivity_section(const Sensitivity& sensitivity);

}  // namespace nbq::report
