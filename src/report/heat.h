#pragma once
#include <string>

#include "report/inputs.h"

namespace nbq::report {

/// Bodies of sections: tables whose cells are shaded by their value; empty: nothing was measured.
/// With more classes than a page can show, the most frequent confusions are listed.
/// `in_integers`: the integer network's confusions.
std::string confusion_body(const Confusion& confusion, bool in_integers);
/// Rise of the loss with each layer alone at other bits.
std::string sensitivity_body(const Sensitivity& sensitivity);

/// A table's cell shaded by `share`, 0..1; `right`: in the colour of what is good.
std::string shaded(double share, const std::string& content, bool right = false);
/// Shade of a rise of the loss beside the largest one: the root, so that small rises differ visibly
/// beside that of a single bit.
double rise_share(double rise, double most);

}  // namespace nbq::report
