#include "train/methods/deepshift.h"

namespace nbq {
namespace {

/// Elhoushi et al. 2021, DeepShift-PS: the exponents P and signs S are learnt themselves:
/// sign(round(S)) 2^round(P), roundings and sign straight through, so that dP = g w ln 2 and
/// dS = g 2^round(P). W only says where they begin.
struct DeepShiftPs : WeightMethod {
  DeepShiftPs(const at::Tensor& w, int bits)
      : range(w, bits), shift(shift_of(w, range)), sign(w.sign()) {}
  at::Tensor weight(const at::Tensor&) override {
    const at::Tensor p = straight_through(shift, at::round(shift.detach()));
    const at::Tensor s = straight_through(sign, at::round(sign.detach()).sign());
    return s * at::exp2(p);
  }
  void after_step(const at::Tensor&) override {
    shift.copy_(range.clamp(shift));
    sign.clamp_(-1, 1);
  }
  std::vector<Named> learnt() const override {
    return {{"deepshift.shift", shift}, {"deepshift.sign", sign}};
  }
  std::vector<at::Tensor> kept() const override { return {range.top}; }
  ShiftRange range;
  at::Tensor shift, sign;
};

}  // namespace

MethodFacts facts_deepshift_ps(int bits, std::int64_t) { return {(1 << bits) - 1, 1}; }

std::unique_ptr<WeightMethod> make_deepshift_ps(const at::Tensor& w, int bits) {
  return std::make_unique<DeepShiftPs>(w, bits);
}

}  // namespace nbq
