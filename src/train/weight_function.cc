#include <ATen/Parallel.h>

#include <cmath>

#include "quant/quantizer.h"
#include "train/train_op.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 1 << 14;  // weights that are worth a thread

/// Replaces U, in place, by (1 - blend) U + blend Q(U), a few channels at a time, so that no buffer
/// of the weight's size is needed.
void blend_channels(std::span<float> u, const Quantizer& q, Po2Format f, std::span<const int> exps,
                    float blend) {
  std::vector<Po2Code> codes(u.size());
  std::vector<float> values(blend == 1 ? 0 : u.size());
  q.encode(f, {u, exps.size()}, exps, codes);
  decode(f, codes, exps.size(), exps, blend == 1 ? u : std::span<float>(values));
  const float keep = 1.0f - blend;
  for (std::size_t i = 0; i < values.size(); ++i) u[i] = keep * u[i] + blend * values[i];
}

struct LearntWeight : torch::autograd::Function<LearntWeight> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& weight, const at::Tensor* scale,
                            const Quantizer* q, int bits, const std::vector<int>* exps,
                            double blend, double slope) {
    ctx->saved_data["slope"] = slope;
    if (scale->defined()) ctx->save_for_backward({*scale});
    at::Tensor out = at::empty_like(weight);
    const float* const w = weight.data_ptr<float>();
    const float* const s = scale->defined() ? scale->data_ptr<float>() : nullptr;
    float* const u = out.data_ptr<float>();
    const std::int64_t per = weight.numel() / weight.size(0);
    const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(per, 1));
    at::parallel_for(0, weight.size(0), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c)
        for (std::int64_t i = c * per; i < (c + 1) * per; ++i)
          u[i] = s == nullptr ? w[i] : w[i] * s[c];
      const auto first = static_cast<std::size_t>(begin),
                 count = static_cast<std::size_t>(end - begin);
      blend_channels({u + begin * per, count * static_cast<std::size_t>(per)}, *q, Po2Format{bits},
                     std::span(*exps).subspan(first, count), static_cast<float>(blend));
    });
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const double slope = ctx->saved_data["slope"].toDouble();
    at::Tensor g = slope == 1 ? grad[0] : grad[0] * slope;
    if (const variable_list saved = ctx->get_saved_variables(); !saved.empty()) {
      std::vector<std::int64_t> per_channel(static_cast<std::size_t>(g.dim()), 1);
      per_channel[0] = -1;
      g = g * saved[0].view(per_channel);
    }
    return {g, {}, {}, {}, {}, {}, {}};
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

at::Tensor learnt_weight(const at::Tensor& weight, const at::Tensor& scale,
                         const std::string& quantizer, int bits, const std::vector<int>& exps,
                         double blend, double slope) {
  const auto q = find_quantizer(quantizer);
  NBQ_CHECK(q.ok() && weight.is_contiguous() && weight.scalar_type() == at::kFloat);
  NBQ_CHECK(weight.size(0) == static_cast<std::int64_t>(exps.size()));
  return LearntWeight::apply(weight, &scale, *q, bits, &exps, blend, slope);
}

at::Tensor rounded_bias(const at::Tensor& bias, const std::vector<int>& exps) {
  NBQ_CHECK(bias.is_contiguous() && bias.scalar_type() == at::kFloat);
  return RoundedBias::apply(bias, &exps);
}

}  // namespace nbq
