#include "train/methods/deepshift.h"

namespace nbq {
namespace {

/// Elhoushi et al. 2021, DeepShift-Q: sign(W) 2^round(log2|W|), the exponent clamped; straight
/// through.
struct DeepShiftQ : WeightMethod {
  DeepShiftQ(const at::Tensor& w, int bits) : range(w, bits) {}
  at::Tensor weight(const at::Tensor& w) override {
    const at::Tensor fixed = w.detach();
    return straight_through(w, fixed.sign() * at::pow(2.0, at::round(shift_of(fixed, range))));
  }
  std::vector<at::Tensor> kept() const override { return {range.top}; }
  ShiftRange range;
};

}  // namespace

MethodFacts facts_deepshift_q(int bits, std::int64_t) { return {(1 << bits) - 1, 1}; }

std::unique_ptr<WeightMethod> make_deepshift_q(const at::Tensor& w, int bits) {
  return std::make_unique<DeepShiftQ>(w, bits);
}

}  // namespace nbq
