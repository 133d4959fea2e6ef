#include "train/weight_method.h"

namespace nbq {
namespace {

/// Rastegari et al. 2016, binary weights: sign(W) mean|W| per output channel. Gradient as they
/// have it: g (1/n + mean|W| where |W| <= 1), n weights a channel.
struct Bwn : WeightMethod {
  at::Tensor weight(const at::Tensor& w) override {
    const at::Tensor fixed = w.detach();
    const at::Tensor mean = per_channel(fixed.abs().flatten(1).mean(1), w);
    const double n = static_cast<double>(w.numel()) / static_cast<double>(w.size(0));
    const at::Tensor factor = 1 / n + mean * (fixed.abs() <= 1);
    return straight_through(w, binary_sign(fixed) * mean, factor);
  }
};

}  // namespace

MethodFacts facts_bwn(int, std::int64_t channels) { return {2, 4 * channels}; }

std::unique_ptr<WeightMethod> make_bwn(const at::Tensor&, int) { return std::make_unique<Bwn>(); }

}  // namespace nbq
