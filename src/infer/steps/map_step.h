#pragma once
#include "infer/step.h"
#include "model/quantise.h"

namespace nbq::infer {

/// Layers that work pixel by pixel and channel by channel: relu, addition, concatenation's copies,
/// batch norm on its own, slice, pad, flatten where it can't be left out. acc = bias + sum over
/// operands of +-(x << left), then the output stage.
struct MapSpec {
  const Node* node = nullptr;
  OutputStage stage;
  struct Operand {
    View view;
    int left = 0;
  };
  std::vector<Operand> operands;  ///< one or two, alike in shape
  bool weights = false;           ///< the node's codes, one a channel, and biases
  View out;                       ///< where it goes: the shape that is written
  int first_stage_channel = 0;    ///< the out view's first channel among the stage's channels
  /// Pixel (y, x) channel c of `out` is the operand's (y * step - pad, ...); outside: real zero.
  int start_c = 0, start_y = 0, start_x = 0;
  int step_c = 1, step_y = 1, step_x = 1;
  bool flatten = false;  ///< the operand's c, h, w, in that order, are out's channels
  int acc_bits = 0;
};

StepPtr make_map_step(const MapSpec& spec, const KernelSet& kernels);

}  // namespace nbq::infer
