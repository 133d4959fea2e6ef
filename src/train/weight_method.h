#pragma once
#include <torch/torch.h>

#include <memory>

#include "train/weight_methods.h"

// Private to src/train.
namespace nbq {

/// One layer's weights W under a method: how W enters the layer, its gradient, and what is learnt
/// or kept beside it. W is float32, [channels, ...], contiguous. Everything follows from W and the
/// steps: no randomness.
class WeightMethod {
 public:
  WeightMethod() = default;
  virtual ~WeightMethod() = default;
  WeightMethod(const WeightMethod&) = delete;
  WeightMethod& operator=(const WeightMethod&) = delete;

  /// What the layer computes with in training; its gradient is the paper's.
  virtual at::Tensor weight(const at::Tensor& w) = 0;
  /// What the layer computes with in evaluation, and what is kept of it; without gradient.
  virtual at::Tensor quantised(const at::Tensor& w) {
    const at::NoGradGuard no_grad;
    return weight(w.detach()).detach();
  }
  /// Before a step's forward pass; `progress` is the part of the phase that is done, in [0, 1). May
  /// change W in place.
  virtual void begin_step(const at::Tensor& /*w*/, double /*progress*/) {}
  /// After the optimizer's step; may change W, and what is learnt, in place.
  virtual void after_step(const at::Tensor& /*w*/) {}

  struct Named {
    const char* name;
    at::Tensor tensor;
  };
  /// Tensors that the optimizer learns beside W: at W's rate, without weight decay.
  virtual std::vector<Named> learnt() const { return {}; }
  /// Tensors that make a resumed training the same, apart from W and learnt().
  virtual std::vector<at::Tensor> kept() const { return {}; }

  /// learnt() and kept(), for a checkpoint.
  std::vector<at::Tensor> state() const;
};

/// The method of a layer that begins with weights w (detached), or null for "float".
#define NBQ_WEIGHT_METHOD(suffix, ...) \
  std::unique_ptr<WeightMethod> make_##suffix(const at::Tensor& w, int bits);
#include "train/weight_methods.def"
std::unique_ptr<WeightMethod> make_method(const MethodRow& row, const at::Tensor& w, int bits);

// Shared by the rows.

/// `value` forward; backward the gradient goes to w, times `factor` (undefined: 1): a
/// straight-through estimate (arXiv:1308.3432).
at::Tensor straight_through(const at::Tensor& w, const at::Tensor& value,
                            const at::Tensor& factor = {});
/// +1 where w >= 0, else -1.
at::Tensor binary_sign(const at::Tensor& w);
/// One number per channel as a factor for weights like w.
at::Tensor per_channel(const at::Tensor& numbers, const at::Tensor& w);

}  // namespace nbq
