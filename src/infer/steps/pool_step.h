#pragma once
#include "infer/steps/line_step.h"

namespace nbq::infer {

/// A maximum or an average over windows, channel by channel.
struct PoolSpec {
  const Node* node = nullptr;
  Window window;
  bool average = false;
  View in;
  SumTarget target;
  int acc_bits = 0;
};

/// Average and maximum; of a maximum both sides must be stored alike (words or bytes).
StepPtr make_pool_step(const PoolSpec& spec, const KernelSet& kernels);

}  // namespace nbq::infer
