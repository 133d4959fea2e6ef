#include <algorithm>

#include "train/weight_method.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The magnitudes of an additive power-of-two code, b - 1 bits besides the sign, ascending, the
/// largest 1: sums of terms of two bits, {0, 2^-i, 2^-(i+n), 2^-(i+2n)}, interleaved, and for an
/// odd number of bits one term {0, 2^-(2n)} between their second and third exponents.
std::vector<float> apot_magnitudes(int bits) {
  const int n = (bits - 1) / 2, odd = (bits - 1) % 2;
  std::vector<double> sums = {0};
  const auto add_term = [&](const std::vector<double>& values) {
    std::vector<double> next;
    for (const double s : sums)
      for (const double v : values) next.push_back(s + v);
    sums = std::move(next);
  };
  for (int i = 0; i < n; ++i)
    add_term({0, std::ldexp(1.0, -i), std::ldexp(1.0, -i - n), std::ldexp(1.0, -i - 2 * n - odd)});
  if (odd != 0) add_term({0, std::ldexp(1.0, -2 * n)});
  std::sort(sums.begin(), sums.end());
  sums.erase(std::unique(sums.begin(), sums.end()), sums.end());
  std::vector<float> out;
  for (const double s : sums) out.push_back(static_cast<float>(s / sums.back()));
  return out;
}

/// alpha Q(x / alpha), x / alpha clipped to [-1, 1]. The gradient of x passes straight through;
/// alpha gets sign(x) where x is clipped, else Q(x / alpha) - x / alpha (the reparameterised
/// clipping of the paper).
struct ApotFunction : torch::autograd::Function<ApotFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& alpha,
                            const at::Tensor* levels, const at::Tensor* middles) {
    const at::Tensor part = x / alpha;
    const at::Tensor size = part.abs().clamp_max(1);
    const at::Tensor q =
        part.sign() * levels->index({at::searchsorted(*middles, size.contiguous())});
    ctx->save_for_backward({part, q});
    return q * alpha;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const variable_list s = ctx->get_saved_variables();
    const at::Tensor slope = at::where(s[0].abs() > 1, s[0].sign(), s[1] - s[0]);
    return {grad[0], (grad[0] * slope).sum(), {}, {}};
  }
};

/// Li et al. 2020: weights normalised to mean 0 and deviation 1 (both constants to the gradient),
/// clipped at a learnt alpha, and rounded to the nearest sum of powers of two.
struct Apot : WeightMethod {
  Apot(const at::Tensor& w, int bits) {
    levels = at::tensor(apot_magnitudes(bits)).to(w.device());
    const std::int64_t n = levels.numel();
    middles = ((levels.slice(0, 0, n - 1) + levels.slice(0, 1, n)) / 2).contiguous();
    alpha = at::full({}, 3.0, levels.options());  // the authors' start
  }
  at::Tensor weight(const at::Tensor& w) override {
    const at::Tensor fixed = w.detach();
    const at::Tensor x = (w - fixed.mean()) / fixed.std().clamp_min(1e-12);
    return ApotFunction::apply(x, alpha, &levels, &middles);
  }
  void after_step(const at::Tensor&) override { alpha.clamp_min_(1e-3); }
  std::vector<Named> learnt() const override { return {{"apot.alpha", alpha}}; }
  at::Tensor levels, middles, alpha;
};

}  // namespace

MethodFacts facts_apot(int bits, std::int64_t) { return {(1 << bits) - 1, 4}; }

std::unique_ptr<WeightMethod> make_apot(const at::Tensor& w, int bits) {
  return std::make_unique<Apot>(w, bits);
}

}  // namespace nbq
