#include <cmath>

#include "quant/quantizer.h"
#include "train/cuda_kernels.h"
#include "train/parallel.h"
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

std::span<const int> exps_of(const at::Tensor& exps) {
  return {exps.data_ptr<int>(), static_cast<std::size_t>(exps.numel())};
}

/// U~ on the CPU, whose threads take some channels each where the quantizer allows.
at::Tensor blended(const at::Tensor& weight, const at::Tensor& scale, const Quantizer& q, int bits,
                   std::span<const int> exps, float blend) {
  at::Tensor out = at::empty_like(weight);
  const float* const w = weight.data_ptr<float>();
  const float* const s = scale.defined() ? scale.data_ptr<float>() : nullptr;
  float* const u = out.data_ptr<float>();
  const std::int64_t channels = weight.size(0);
  const std::int64_t per = weight.numel() / channels;
  const std::int64_t worth = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(per, 1));
  const std::int64_t grain = q.rule == CodeRule::kNearest ? worth : channels;
  at::parallel_for(0, channels, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c)
      for (std::int64_t i = c * per; i < (c + 1) * per; ++i)
        u[i] = s == nullptr ? w[i] : w[i] * s[c];
    const auto first = static_cast<std::size_t>(begin),
               count = static_cast<std::size_t>(end - begin);
    blend_channels({u + begin * per, count * static_cast<std::size_t>(per)}, q, Po2Format{bits},
                   exps.subspan(first, count), blend);
  });
  return out;
}

/// U~ on the GPU. Quantizers that see the whole layer at once have the CPU do it.
at::Tensor blended_cuda(const at::Tensor& weight, const at::Tensor& scale, const Quantizer& q,
                        int bits, const at::Tensor& exps, float blend) {
  if (q.rule != CodeRule::kNearest) {
    const at::Tensor e = exps.cpu();
    return blended(weight.cpu(), scale.defined() ? scale.cpu() : scale, q, bits, exps_of(e), blend)
        .to(weight.device());
  }
  at::Tensor out = at::empty_like(weight);
  cuda::blend_nearest(weight.data_ptr<float>(), scale.defined() ? scale.data_ptr<float>() : nullptr,
                      exps.data_ptr<int>(), weight.size(0), weight.numel() / weight.size(0), bits,
                      Po2Format{bits}.max_k(), blend, out.data_ptr<float>());
  return out;
}

struct LearntWeight : torch::autograd::Function<LearntWeight> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& weight, const at::Tensor* scale,
                            const Quantizer* q, int bits, const at::Tensor* exps, double blend,
                            double slope) {
    ctx->saved_data["slope"] = slope;
    if (scale->defined()) ctx->save_for_backward({*scale});
    const auto b = static_cast<float>(blend);
    return weight.is_cuda() ? blended_cuda(weight, *scale, *q, bits, *exps, b)
                            : blended(weight, *scale, *q, bits, exps_of(*exps), b);
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
  static at::Tensor forward(AutogradContext*, const at::Tensor& bias, const at::Tensor* exps) {
    at::Tensor out = at::empty_like(bias);
    const float* const b = bias.data_ptr<float>();
    float* const r = out.data_ptr<float>();
    const int* const e = exps->data_ptr<int>();
    if (bias.is_cuda()) {
      cuda::round_bias(b, e, exps->numel(), bias.numel(), r);
      return out;
    }
    for (std::int64_t c = 0; c < bias.numel(); ++c) {
      const int exp = e[exps->numel() == 1 ? 0 : c];
      const double unit = std::floor(std::ldexp(static_cast<double>(b[c]), -exp) + 0.5);
      r[c] = static_cast<float>(std::ldexp(unit, exp));
    }
    return out;
  }
  static variable_list backward(AutogradContext*, const variable_list& grad) {
    return {grad[0], {}};
  }
};

}  // namespace

at::Tensor learnt_weight(const at::Tensor& weight, const at::Tensor& scale,
                         const std::string& quantizer, int bits, const at::Tensor& exps,
                         double blend, double slope) {
  const auto q = find_quantizer(quantizer);
  NBQ_CHECK(q.ok() && weight.is_contiguous() && weight.scalar_type() == at::kFloat);
  NBQ_CHECK(weight.size(0) == exps.numel() && exps.device() == weight.device());
  return LearntWeight::apply(weight, &scale, *q, bits, &exps, blend, slope);
}

at::Tensor rounded_bias(const at::Tensor& bias, const at::Tensor& exps) {
  NBQ_CHECK(bias.is_contiguous() && bias.scalar_type() == at::kFloat);
  return RoundedBias::apply(bias, &exps);
}

}  // namespace nbq
