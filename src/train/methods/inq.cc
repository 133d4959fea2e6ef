#include "train/weight_method.h"

namespace nbq {
namespace {

/// Part of the weights that is frozen, and from which part of the phase on.
struct Portion {
  double from, frozen;
};
constexpr Portion kPortions[] = {{0, 0.5}, {0.3, 0.75}, {0.6, 0.875}, {0.9, 1}};

/// Zhou et al. 2017: codes 0 and +-2^n2 .. +-2^n1, n1 = floor(log2(4/3 max|W|)),
/// n2 = n1 + 1 - 2^(b-2). The largest weights become their codes and stay so; the rest goes on
/// learning in float, until a larger part is frozen.
struct Inq : WeightMethod {
  Inq(const at::Tensor& w, int bits)
      : magnitudes(1 << (bits - 2)),
        n1(exponent(w.abs().max())),
        mask(at::zeros_like(w, at::kBool)),
        codes(at::zeros_like(w)) {}

  /// floor(log2(4/3 |w|)), exactly: |w| = mantissa 2^e, mantissa in [1/2, 1).
  static at::Tensor exponent(const at::Tensor& size) {
    const auto [mantissa, e] = at::frexp(size);
    return (e - (mantissa < 0.75).to(at::kInt)).to(at::kFloat);
  }
  /// [(a + b)/2, 3b/2) becomes b, a being the code below b: the nearest one.
  at::Tensor code(const at::Tensor& w) const {
    const at::Tensor size = w.abs(), n2 = n1 + (1 - magnitudes);
    const at::Tensor power = at::pow(2.0, at::minimum(at::maximum(exponent(size), n2), n1));
    return w.sign() * power * (size >= at::pow(2.0, n2 - 1));
  }
  void freeze(const at::Tensor& w, double part) {
    const auto wanted = static_cast<std::int64_t>(std::llround(part * double(w.numel())));
    const std::int64_t more = wanted - mask.sum().item<std::int64_t>();
    if (more <= 0) return;
    const at::Tensor size = w.abs().masked_fill(mask, -1).flatten();
    const at::Tensor largest = std::get<1>(size.sort(true, 0, true)).slice(0, 0, more);
    mask.view(-1).index_fill_(0, largest, 1);
    codes.copy_(at::where(mask, at::where(codes != 0, codes, code(w)), codes));
  }

  at::Tensor weight(const at::Tensor& w) override { return at::where(mask, codes, w); }
  at::Tensor quantised(const at::Tensor& w) override {
    return at::where(mask, codes, code(w.detach()));
  }
  void begin_step(const at::Tensor& w, double progress) override {
    for (const Portion& p : kPortions)
      if (progress >= p.from) freeze(w, p.frozen);
    after_step(w);
  }
  /// Against momentum and weight decay.
  void after_step(const at::Tensor& w) override { w.copy_(at::where(mask, codes, w)); }
  std::vector<at::Tensor> kept() const override { return {n1, mask, codes}; }

  int magnitudes;
  at::Tensor n1, mask, codes;
};

}  // namespace

MethodFacts facts_inq(int bits, std::int64_t) { return {2 * (1 << (bits - 2)) + 1, 1}; }

std::unique_ptr<WeightMethod> make_inq(const at::Tensor& w, int bits) {
  return std::make_unique<Inq>(w, bits);
}

}  // namespace nbq
