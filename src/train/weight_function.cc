#include <cmath>

#include "quant/quantizer.h"
#include "train/train_op.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Q(W) into `out`. The codes are the only buffer, and kept from step to step.
void quantise_into(const at::Tensor& weight, const Quantizer& q, Po2Format f,
                   const std::vector<int>& exps, std::span<float> out) {
  static thread_local std::vector<Po2Code> codes;
  codes.resize(out.size());
  const WeightView view{{weight.data_ptr<float>(), out.size()}, exps.size()};
  q.encode(f, view, exps, codes);
  decode(f, codes, exps.size(), exps, out);
}

struct LearntWeight : torch::autograd::Function<LearntWeight> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& weight, const Quantizer* q,
                            int bits, const std::vector<int>* exps, double blend, double slope) {
    ctx->saved_data["slope"] = slope;
    at::Tensor out = at::empty_like(weight);
    const auto count = static_cast<std::size_t>(weight.numel());
    float* const w_out = out.data_ptr<float>();
    quantise_into(weight, *q, Po2Format{bits}, *exps, {w_out, count});
    if (blend != 1) {
      const float* const w = weight.data_ptr<float>();
      const float b = static_cast<float>(blend);
      const float a = 1.0f - b;
      for (std::size_t i = 0; i < count; ++i) w_out[i] = a * w[i] + b * w_out[i];
    }
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const double slope = ctx->saved_data["slope"].toDouble();
    const at::Tensor g = slope == 1 ? grad[0] : grad[0] * slope;
    return {g, {}, {}, {}, {}, {}};
  }
};

struct RoundedBias : torch::autograd::Function<RoundedBias> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& bias,
                            const std::vector<int>* exps) {
    at::Tensor out = at::empty_like(bias);
    const float* const b = bias.data_ptr<float>();
    float* const r = out.data_ptr<float>();
    for (std::int64_t c = 0; c < bias.numel(); ++c) {
      const int e = (*exps)[exps->size() == 1 ? 0 : static_cast<std::size_t>(c)];
      const double unit = std::floor(std::ldexp(static_cast<double>(b[c]), -e) + 0.5);
      r[c] = static_cast<float>(std::ldexp(unit, e));
    }
    return out;
  }
  static variable_list backward(AutogradContext*, const variable_list& grad) {
    return {grad[0], {}};
  }
};

}  // namespace

at::Tensor learnt_weight(const at::Tensor& weight, const std::string& quantizer, int bits,
                         const std::vector<int>& exps, double blend, double slope) {
  const auto q = find_quantizer(quantizer);
  NBQ_CHECK(q.ok() && weight.is_contiguous() && weight.scalar_type() == at::kFloat);
  NBQ_CHECK(weight.size(0) == static_cast<std::int64_t>(exps.size()));
  return LearntWeight::apply(weight, *q, bits, &exps, blend, slope);
}

at::Tensor rounded_bias(const at::Tensor& bias, const std::vector<int>& exps) {
  NBQ_CHECK(bias.is_contiguous() && bias.scalar_type() == at::kFloat);
  return RoundedBias::apply(bias, &exps);
}

}  // namespace nbq
