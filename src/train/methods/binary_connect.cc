#include "train/weight_method.h"

namespace nbq {
namespace {

/// Courbariaux et al. 2015, deterministic: sign(W), W clipped to [-1, 1] after each step.
struct BinaryConnect : WeightMethod {
  at::Tensor weight(const at::Tensor& w) override { return straight_through(w, binary_sign(w)); }
  void after_step(const at::Tensor& w) override { w.clamp_(-1, 1); }
};

}  // namespace

MethodFacts facts_binary_connect(int, std::int64_t) { return {2, 0}; }

std::unique_ptr<WeightMethod> make_binary_connect(const at::Tensor&, int) {
  return std::make_unique<BinaryConnect>();
}

}  // namespace nbq
