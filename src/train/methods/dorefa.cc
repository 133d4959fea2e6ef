#include "train/weight_method.h"

namespace nbq {
namespace {

/// Zhou et al. 2016. One bit: sign(W) mean|W| of the layer, straight through. k bits:
/// 2 quantise_k(tanh W / (2 max|tanh W|) + 1/2) - 1, rounded to 2^k equal steps straight through.
struct DoReFa : WeightMethod {
  explicit DoReFa(int k) : bits(k) {}
  at::Tensor weight(const at::Tensor& w) override {
    if (bits == 1) return straight_through(w, binary_sign(w.detach()) * w.detach().abs().mean());
    const double steps = (1 << bits) - 1;
    const at::Tensor t = w.tanh();
    const at::Tensor x = t / (2 * t.abs().max().clamp_min(1e-12)) + 0.5;
    return 2 * straight_through(x, at::round(x.detach() * steps) / steps) - 1;
  }
  int bits;
};

}  // namespace

MethodFacts facts_dorefa(int bits, std::int64_t) { return {1 << bits, bits == 1 ? 4 : 0}; }

std::unique_ptr<WeightMethod> make_dorefa(const at::Tensor&, int bits) {
  return std::make_unique<DoReFa>(bits);
}

}  // namespace nbq
