#pragma once
#include <csignal>

// Private to src/train.
namespace nbq {

/// Catches SIGINT and SIGTERM while it lives; a second signal ends the program at once. One at a
/// time.
class SignalCatcher {
 public:
  /// on: false catches nothing.
  explicit SignalCatcher(bool on);
  ~SignalCatcher();
  SignalCatcher(const SignalCatcher&) = delete;
  SignalCatcher& operator=(const SignalCatcher&) = delete;

  /// A signal came since the last catcher was made.
  static bool caught();

 private:
  bool on_;
  struct sigaction old_int_ = {}, old_term_ = {};
};

}  // namespace nbq
