#pragma once
#include "infer/isa.h"
#include "infer/pack_weights.h"
#include "infer/step.h"
#include "model/quantise.h"

namespace nbq::infer {

/// A layer that may follow a convolution in its output stage: an addition or a relu.
struct SecondStage {
  OutputStage stage;  ///< without shifts: there is none
  View residual;      ///< the addition's other operand; residual.buffer < 0: none
  int own_left = 0;   ///< onto the accumulator's scale
  int residual_left = 0;
};

/// A convolution or fully connected layer (a convolution whose window is the whole map), as the
/// planner found it.
struct ConvSpec {
  const Node* node = nullptr;  ///< its codes and biases
  Window window;
  int groups = 1;
  OutputStage stage;
  SecondStage second;
  View in, out;  ///< `out` of the last stage; unused when logits
  bool logits = false;
  std::int64_t logits_per_image = 0;
  int images = 1;   ///< that run together
  int threads = 1;  ///< that share the work
};

/// For layers that run in the 32-bit kernels (places.h): sums tap by tap.
StepPtr make_conv_step(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                       const KernelSet& kernels);

/// The same for accumulators of up to 48 bits, without a margin: plain shifts and adds.
StepPtr make_wide_conv_step(const ConvSpec& spec);

}  // namespace nbq::infer
