#pragma once
#include <string>
#include <vector>

#include "report/plot.h"

namespace nbq::report {

/// Many designs by what they cost and what they give.
struct FrontSeries {
  std::string title;  ///< letters, digits and spaces are shown
  struct Point {
    double cost, gain;
    bool best;  ///< no other one of the series costs less and gives more
  };
  std::vector<Point> points;
};

/// All points as dots, the best ones joined by steps; up to three series.
Plot front_plot(const std::vector<FrontSeries>& series, const std::string& title,
                const std::string& cost, const std::string& gain);

}  // namespace nbq::report
