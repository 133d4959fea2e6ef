#pragma once
#include <torch/torch.h>

#include "train/torch_net.h"

// Private to src/train.
namespace nbq {

/// Exponential moving average of a network's parameters. Its decay rises as (1 + t) / (10 + t) at
/// first, so that the start is forgotten. Evaluation and the phase's result use the average.
class WeightAverage {
 public:
  /// decay 0: none.
  WeightAverage(double decay, const std::vector<Param>& params);

  bool on() const { return decay_ > 0; }
  /// Gains of norms were set: their average begins anew with them.
  void take_norms(const std::vector<Param>& params);
  /// After step `steps` (from 1) of the phase.
  void update(std::int64_t steps);
  /// Exchanges the network's parameters and their average.
  void swap();
  /// One entry a parameter; for the checkpoint.
  const std::vector<at::Tensor>& values() const { return average_; }
  /// Errors kBadFile: not of this network.
  Status restore(const std::vector<at::Tensor>& values);

 private:
  double decay_;
  std::vector<at::Tensor> params_, average_;
};

/// The network has its averaged parameters while this lives.
class Averaged {
 public:
  explicit Averaged(WeightAverage& average) : average_(average) { average_.swap(); }
  ~Averaged() { average_.swap(); }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

 private:
  WeightAverage& average_;
};

}  // namespace nbq
