#pragma once
#include <string>
#include <vector>

#include "report/inputs.h"
#include "report/plot.h"

namespace nbq::report {

/// A plot with its heading; the caption is plain text.
struct Figure {
  std::string heading, caption;
  std::vector<Plot> plots;
};

/// Loss, accuracy, learning rate and alpha over the epochs of all phases; empty without epochs.
std::vector<Figure> training_figures(const Training& training);

/// A figure for each quantised layer: the distribution of W before and after, and the levels of
/// Q(W).
std::vector<Figure> weight_figures(const Training& training);

}  // namespace nbq::report
