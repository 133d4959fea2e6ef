#include "train/weight_method.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double kThreshold = 0.05;  // of the largest |W|: the paper's t

/// Zhu et al. 2017: W_p beyond delta, -W_n below -delta, else 0. The paper's
/// gradients: W_p gets the sum over its weights, W_n minus the sum over its own (the paper leaves
/// out the sign of dw/dW_n); W gets g times W_p, 1 or W_n.
struct TtqFunction : torch::autograd::Function<TtqFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& w, const at::Tensor& positive,
                            const at::Tensor& negative) {
    const at::Tensor delta = kThreshold * w.abs().max();
    const at::Tensor above = (w > delta).to(at::kFloat), below = (w < -delta).to(at::kFloat);
    ctx->save_for_backward({above, below, positive, negative});
    return above * positive - below * negative;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const variable_list s = ctx->get_saved_variables();
    const at::Tensor &above = s[0], &below = s[1];
    const at::Tensor factor = above * s[2] + below * s[3] + (1 - above - below);
    return {grad[0] * factor, (grad[0] * above).sum(), -(grad[0] * below).sum()};
  }
};

struct Ttq : WeightMethod {
  explicit Ttq(const at::Tensor& w) {
    const auto mean_beyond = [&](const at::Tensor& side) {
      const at::Tensor beyond = (side > kThreshold * w.abs().max()).to(at::kFloat);
      return ((side * beyond).sum() / beyond.sum().clamp_min(1)).clone();
    };
    positive = mean_beyond(w);
    negative = mean_beyond(-w);
  }
  at::Tensor weight(const at::Tensor& w) override {
    return TtqFunction::apply(w, positive, negative);
  }
  std::vector<Named> learnt() const override {
    return {{"ttq.positive", positive}, {"ttq.negative", negative}};
  }
  at::Tensor positive, negative;
};

}  // namespace

MethodFacts facts_ttq(int, std::int64_t) { return {3, 8}; }

std::unique_ptr<WeightMethod> make_ttq(const at::Tensor& w, int) {
  return std::make_unique<Ttq>(w);
}

}  // namespace nbq
