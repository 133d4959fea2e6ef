#include "train/progress.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "core/log.h"

namespace nbq {
namespace {

std::string duration(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  return s >= 3600 ? fmt::format("{}h{:02}m", s / 3600, s / 60 % 60)
         : s >= 60 ? fmt::format("{}m{:02}s", s / 60, s % 60)
                   : fmt::format("{}s", s);
}

}  // namespace

Progress::Progress(bool quiet, std::int64_t steps_left)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      steps_left_(steps_left),
      start_(Clock::now()),
      last_draw_(start_) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

void Progress::step(const Now& n) {
  ++steps_done_;
  const auto now = Clock::now();
  if (quiet_ || !terminal_ || now - last_draw_ < std::chrono::milliseconds(200)) return;
  last_draw_ = now;
  const double spent = std::chrono::duration<double>(now - start_).count();
  const double left = spent / static_cast<double>(steps_done_) *
                      static_cast<double>(std::max<std::int64_t>(steps_left_ - steps_done_, 0));
  const std::string line = fmt::format(
      "\r\033[K{} epoch {}/{}  {:3.0f} %  loss {:.4f}  accuracy {:.2f} %  {:.0f} images/s  {} left",
      n.phase, n.epoch, n.epochs,
      100.0 * static_cast<double>(n.step) / static_cast<double>(n.steps), n.loss, n.accuracy,
      n.images_per_second, duration(left));
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::epoch(const std::string& phase, int epochs, const EpochRow& r) {
  if (quiet_) return;
  clear();
  const auto part = [](const char* name, double v) {
    return std::isfinite(v) ? fmt::format(", {} {:.2f} %", name, v) : std::string();
  };
  log_info(
      "{} epoch {}/{}: loss {:.4f}, train {:.2f} %{}{}, lr {:.3g}, alpha {:.4g}, {:.0f} images/s, "
      "{:.1f} s",
      phase, r.epoch, epochs, r.loss, r.train_accuracy, part("validation", r.validation_accuracy),
      part("test", r.test_accuracy), r.lr, r.alpha, r.images_per_second, r.seconds);
}

}  // namespace nbq
