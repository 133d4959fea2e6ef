#pragma once
#include <memory>

#include "model/builders.h"
#include "train/step.h"

// Private to bench/: training steps on random images, as a recipe's phases run them.
namespace nbq {

struct StepCase {
  BuildSpec model;
  int batch = 128;
  bool quantised = false;  ///< 3-bit weights, 8-bit activations, norms live; false: the float phase
  bool bfloat16 = false;
};

/// A network in training, to be stepped and timed.
class SteppedNet {
 public:
  /// Errors as build_graph() and quantise().
  static Result<std::unique_ptr<SteppedNet>> create(const StepCase& c);
  static std::unique_ptr<SteppedNet> of(const StepCase& c, TorchNet net);

  void step() { step_.run(batch_, spec_.lr, pass_); }

 private:
  SteppedNet(const StepCase& c, TorchNet net, Batch batch);

  PhaseSpec spec_;
  TorchNet net_;
  Batch batch_;
  Pass pass_;
  TrainStep step_;
};

/// Most bytes that tensors take at once, from the network's making over `steps` steps. What
/// libraries take beside tensors isn't counted.
Result<std::int64_t> peak_tensor_bytes(const StepCase& c, int steps);

}  // namespace nbq
