#include "quant/quantizer.h"
#include "train/train_op.h"
#include "train/weight_method.h"

namespace nbq {
namespace {

constexpr const char* kQuantizer = "least_squares";

/// nbq's own codes and scale exponents per channel, fitted at the start and locked, with a plain
/// straight-through estimate: what its reconstructed gradient is compared with.
struct Po2Ste : WeightMethod {
  Po2Ste(const at::Tensor& w, int n) : bits(n) {
    const at::Tensor here = w.cpu();
    const std::span<const float> data(here.data_ptr<float>(), static_cast<std::size_t>(w.numel()));
    const auto channels = static_cast<std::size_t>(w.size(0));
    const auto fitted = find_quantizer(kQuantizer)
                            .value()
                            ->fit(Po2Format{bits}, ScaleGranularity::kPerChannel, {data, channels});
    exps = fitted.ok() ? at::tensor(*fitted, at::kInt) : at::zeros({w.size(0)}, at::kInt);
    exps = exps.to(w.device());
  }
  at::Tensor weight(const at::Tensor& w) override {
    return learnt_weight(w, {}, kQuantizer, bits, exps, 1, 1);
  }
  std::vector<at::Tensor> kept() const override { return {exps}; }
  int bits;
  at::Tensor exps;
};

}  // namespace

MethodFacts facts_po2_ste(int bits, std::int64_t channels) {
  return {bits == 1 ? 2 : 2 * Po2Format{bits}.max_k() + 1, channels};
}

std::unique_ptr<WeightMethod> make_po2_ste(const at::Tensor& w, int bits) {
  return std::make_unique<Po2Ste>(w, bits);
}

}  // namespace nbq
