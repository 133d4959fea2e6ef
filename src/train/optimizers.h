#pragma once
#include <torch/torch.h>

#include <memory>
#include <vector>

#include "train/recipe.h"
#include "train/torch_net.h"

// Private to src/train.
namespace nbq {

/// A libtorch optimizer over a network's parameters: quantised weights, which may have their own
/// rate, apart from the rest; weight decay only on convolution and linear weights.
class NetOptimizer {
 public:
  NetOptimizer(const PhaseSpec& phase, const std::vector<Param>& params);

  /// One step at rate `lr`; the gains of taken-up norms rest while `norms_frozen`. Quantised
  /// weights, whose gradient is `slope` times that of W~, stay as they are when slope is 0,
  /// momentum and all; with phase.compensate their rate is lr / slope (optimizers that divide the
  /// gradient's size out, as Adam does, need no compensation and get none).
  void step(double lr, double slope, bool norms_frozen);
  void zero_grad() { impl_->zero_grad(); }
  torch::optim::Optimizer& impl() { return *impl_; }

 private:
  struct Group {
    bool is_po2;
    bool decays;
    bool is_norm;
  };
  PhaseSpec phase_;
  std::vector<Group> groups_;
  std::unique_ptr<torch::optim::Optimizer> impl_;
};

}  // namespace nbq
