#include "train/signals.h"

namespace nbq {
namespace {

volatile std::sig_atomic_t g_signal = 0;
void on_signal(int signal) { g_signal = signal; }

}  // namespace

SignalCatcher::SignalCatcher(bool on) : on_(on) {
  g_signal = 0;
  if (!on_) return;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &old_int_);
  sigaction(SIGTERM, &action, &old_term_);
}

SignalCatcher::~SignalCatcher() {
  if (!on_) return;
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGTERM, &old_term_, nullptr);
}

bool SignalCatcher::caught() { return g_signal != 0; }

}  // namespace nbq
