#include "train/weight_method.h"

namespace nbq {
namespace {

/// Li et al. 2016: 0 up to delta = 0.7 mean|W|, beyond it +-alpha, the mean of these |W|.
struct Twn : WeightMethod {
  at::Tensor weight(const at::Tensor& w) override {
    const at::Tensor size = w.detach().abs();
    const at::Tensor beyond = (size > 0.7 * size.mean()).to(at::kFloat);
    const at::Tensor alpha = (size * beyond).sum() / beyond.sum().clamp_min(1);
    return straight_through(w, w.detach().sign() * beyond * alpha);
  }
};

}  // namespace

MethodFacts facts_twn(int, std::int64_t) { return {3, 4}; }

std::unique_ptr<WeightMethod> make_twn(const at::Tensor&, int) { return std::make_unique<Twn>(); }

}  // namespace nbq
