#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "train/metrics.h"

// Private to src/train.
namespace nbq {

/// On a terminal, one line on stderr that is drawn over; the log gets a line for each epoch.
class Progress {
 public:
  /// `steps_left`: of all phases, for the remaining time.
  Progress(bool quiet, std::int64_t steps_left);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  struct Now {
    std::string phase;  ///< "float", "3-bit"
    int epoch, epochs;  ///< from 1
    std::int64_t step, steps;
    double loss, accuracy;  ///< so far in this epoch; percent
    double images_per_second;
  };
  /// After a step; draws at most a few times a second.
  void step(const Now& now);
  void epoch(const std::string& phase, int epochs, const EpochRow& row);

 private:
  using Clock = std::chrono::steady_clock;
  void clear();

  bool quiet_, terminal_, drawn_ = false;
  std::int64_t steps_left_, steps_done_ = 0;
  Clock::time_point start_, last_draw_;
};

}  // namespace nbq
