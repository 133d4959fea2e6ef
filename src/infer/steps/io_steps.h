#pragma once
#include "infer/step.h"

// The plan's first step and, when the network does not end in accumulators, its last.
namespace nbq::infer {

/// Bytes, channel by channel, to pixels: x_int = byte - 128.
StepPtr make_image_step(const std::string& name, const View& out);

/// Activations as logits: their integers.
StepPtr make_logits_step(const std::string& name, const View& in);

}  // namespace nbq::infer
