#include "train/norm_requant.h"

#include <cmath>

#include "train/norm_layout.h"
#include "train/parallel.h"
#include "train/tensor_data.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Numbers = std::vector<double>;  // per channel

NormLayout layout_of(const at::Tensor& t, at::MemoryFormat order) {
  const std::int64_t c = t.size(1), count = t.numel();
  if (order == at::MemoryFormat::ChannelsLast) return {c == 0 ? 0 : count / c, c, 1};
  return {t.size(0), c, t.size(0) * c == 0 ? 1 : count / (t.size(0) * c)};
}

at::Tensor to_tensor(const Numbers& numbers) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kFloat);
  std::copy(numbers.begin(), numbers.end(), t.data_ptr<float>());
  return t;
}

Numbers numbers_of(const at::Tensor& t) {
  NBQ_CHECK(t.scalar_type() == at::kFloat && t.is_contiguous());
  return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()};
}

Numbers scales_of(const at::Tensor& scale, std::size_t channels) {
  return scale.defined() ? numbers_of(scale) : Numbers(channels, 1.0);
}

double sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

at::Tensor to_wide_tensor(const Numbers& numbers) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kDouble);
  std::copy(numbers.begin(), numbers.end(), t.data_ptr<double>());
  return t;
}

/// Two sums per channel over all chunks: f(chunk's strips, its two expanded sums) adds to them.
struct TwoSums {
  Numbers a, b;
};
template <class F>
TwoSums two_sums(const NormLayout& layout, F&& add) {
  const auto channels = static_cast<std::size_t>(layout.channels());
  std::vector<TwoSums> parts(static_cast<std::size_t>(layout.chunks()));
  at::parallel_for(0, layout.chunks(), 1, [&](std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::size_t>(layout.expanded_size());
    std::vector<float> a(size), b(size);
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      std::fill(a.begin(), a.end(), 0.0f);
      std::fill(b.begin(), b.end(), 0.0f);
      add(chunk, a.data(), b.data());
      TwoSums& part = parts[static_cast<std::size_t>(chunk)];
      part.a.resize(channels);
      part.b.resize(channels);
      for (std::size_t i = 0; i < size; ++i) {
        const auto c = static_cast<std::size_t>(layout.channel_of(static_cast<std::int64_t>(i)));
        part.a[c] += static_cast<double>(a[i]);
        part.b[c] += static_cast<double>(b[i]);
      }
    }
  });
  TwoSums all{Numbers(channels), Numbers(channels)};
  for (const TwoSums& part : parts)
    for (std::size_t c = 0; c < channels; ++c) {
      all.a[c] += part.a[c];
      all.b[c] += part.b[c];
    }
  return all;
}

template <class F>
void for_all_strips(const NormLayout& layout, F&& f) {
  at::parallel_for(0, layout.chunks(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) layout.for_strips(chunk, f);
  });
}

/// Mean and biased variance. Sums are of z less its first value, so that a mean far from 0 costs no
/// digits.
ChannelStatistics statistics(const at::Tensor& z, const NormLayout& layout) {
  const auto channels = static_cast<std::size_t>(layout.channels());
  const double count = static_cast<double>(layout.per_channel());
  Numbers pivot(channels);
  TwoSums sums;
  with_data(z, [&](const auto* data) {
    const std::int64_t stride = layout.rows() ? 1 : layout.per_channel() / z.size(0);
    for (std::size_t c = 0; c < channels; ++c)
      pivot[c] = static_cast<double>(load(data, static_cast<std::int64_t>(c) * stride));
    const std::vector<float> from = layout.expanded(pivot);
    sums = two_sums(layout, [&](std::int64_t chunk, float* a, float* b) {
      layout.for_strips(chunk, [&](NormStrip s, std::int64_t i, std::int64_t, std::int64_t e) {
        norm_sums(data + i, s, from.data() + e, a + e, b + e);
      });
    });
  });
  ChannelStatistics found{Numbers(channels), Numbers(channels)};
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = sums.a[c] / count;
    found.mean[c] = pivot[c] + mean;
    found.var[c] = std::max(sums.b[c] / count - mean * mean, 0.0);
    if (std::isnan(sums.b[c])) found.var[c] = sums.b[c];  // max() would hide it
  }
  return found;
}

/// u = (z - mean) gain + offset, or of a format u 2^-exp + 1/2, written as `out`.
void write_normed(const at::Tensor& z, const NormLayout& layout, const Numbers& mean,
                  const Numbers& gain, const Numbers& offset, const ActFormat* format,
                  const at::Tensor& out, MaskWord* mask) {
  const std::vector<float> m = layout.expanded(mean), a = layout.expanded(gain),
                           b = layout.expanded(offset);
  with_data(z, [&](const auto* in) {
    with_data(out, [&](auto* to) {
      for_all_strips(layout, [&](NormStrip s, std::int64_t i, std::int64_t w, std::int64_t e) {
        norm_apply(in + i, s, m.data() + e, a.data() + e, b.data() + e, format, to + i,
                   mask == nullptr ? nullptr : mask + w);
      });
    });
  });
}

/// What backward has of forward, and the gradient that arrives.
struct Arrived {
  const at::Tensor &grad, &z;
  const MaskWord* mask;
  const NormLayout& layout;
  const std::vector<float>& mean;  // expanded

  const MaskWord* from(std::int64_t word) const { return mask == nullptr ? nullptr : mask + word; }
};

/// Of g and of g (z - mean).
TwoSums gradient_sums(const Arrived& a) {
  TwoSums sums;
  with_data(a.grad, [&](const auto* g) {
    with_data(a.z, [&](const auto* z) {
      sums = two_sums(a.layout, [&](std::int64_t chunk, float* sum, float* product) {
        a.layout.for_strips(chunk, [&](NormStrip s, std::int64_t i, std::int64_t w,
                                       std::int64_t e) {
          norm_gradient_sums(g + i, a.from(w), z + i, s, a.mean.data() + e, sum + e, product + e);
        });
      });
    });
  });
  return sums;
}

/// The sums over all processes' parts.
TwoSums of_all(Peers* peers, TwoSums sums) {
  if (peers == nullptr) return sums;
  const auto of = [](Numbers& n) {
    return at::from_blob(n.data(), {static_cast<std::int64_t>(n.size())}, at::kDouble);
  };
  peers->sum_all(std::vector<at::Tensor>{of(sums.a), of(sums.b)});
  return sums;
}

/// dz = gain g + slope (z - mean) + offset.
at::Tensor gradient(const Arrived& a, const Numbers& gain, const Numbers& slope,
                    const Numbers& offset) {
  const at::Tensor dz = at::empty_like(a.z);
  const std::vector<float> gains = a.layout.expanded(gain), slopes = a.layout.expanded(slope),
                           offsets = a.layout.expanded(offset);
  with_data(a.grad, [&](const auto* g) {
    with_data(a.z, [&](const auto* z) {
      auto* const to = reinterpret_cast<std::remove_cvref_t<decltype(*z)>*>(dz.data_ptr());
      for_all_strips(a.layout, [&](NormStrip s, std::int64_t i, std::int64_t w, std::int64_t e) {
        norm_gradient(g + i, a.from(w), z + i, s,
                      {gains.data() + e, slopes.data() + e, a.mean.data() + e, offsets.data() + e},
                      to + i);
      });
    });
  });
  return dz;
}

struct NormRequantise : torch::autograd::Function<NormRequantise> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const at::Tensor& gamma,
                            const at::Tensor& beta, const at::Tensor* scale, double eps,
                            const ActFormat* format, at::ScalarType type, bool wants_gradient,
                            BatchStatistics* seen_tensors, const NormPeers* peers) {
    const at::MemoryFormat order = given.suggest_memory_format();
    const at::Tensor z = given.contiguous(order);
    const NormLayout layout = layout_of(z, order);
    ChannelStatistics seen = statistics(z, layout);
    const double count = join(*peers, static_cast<double>(layout.per_channel()), seen);
    const Numbers g = numbers_of(gamma), b = numbers_of(beta), s = scales_of(*scale, g.size());
    const double to_units = format == nullptr ? 1.0 : std::ldexp(1.0, -format->exp);
    Numbers inv_std(g.size()), gain(g.size()), offset(g.size());
    for (std::size_t c = 0; c < g.size(); ++c) {
      const double var = seen.var[c] + eps * s[c] * s[c];
      inv_std[c] = var == 0 ? 0 : 1 / std::sqrt(var);
      gain[c] = g[c] * sign(s[c]) * inv_std[c] * to_units;
      // What of the mean float32 does not hold goes here.
      const double rest = seen.mean[c] - static_cast<double>(static_cast<float>(seen.mean[c]));
      offset[c] = b[c] * to_units - rest * gain[c] + (format == nullptr ? 0.0 : 0.5);
    }
    const at::Tensor out = at::empty_like(z, z.options().dtype(type));
    at::Tensor mask;
    if (wants_gradient) {
      if (format != nullptr) mask = make_mask(layout.words());
      ctx->save_for_backward({z, gamma, to_tensor(seen.mean), to_tensor(inv_std), mask, *scale});
      ctx->saved_data["order"] = order;
      ctx->saved_data["count"] = count;
      ctx->saved_data["idle"] = peers->idle;
      ctx->saved_data["peers"] = reinterpret_cast<std::int64_t>(peers->peers);
    }
    write_normed(z, layout, seen.mean, gain, offset, format, out, mask_data(mask));
    for (double& v : seen.var) v *= count > 1 ? count / (count - 1) : 1;
    *seen_tensors = {to_wide_tensor(seen.mean), to_wide_tensor(seen.var)};
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& z = saved[0];
    const at::MemoryFormat order = ctx->saved_data["order"].toMemoryFormat();
    const at::Tensor grad = grads[0].contiguous(order);
    const NormLayout layout = layout_of(z, order);
    const Numbers gamma = numbers_of(saved[1]), inv_std = numbers_of(saved[3]),
                  scale = scales_of(saved[5], gamma.size());
    const std::vector<float> mean = layout.expanded(numbers_of(saved[2]));
    const Arrived arrived{grad, z, mask_data(saved[4]), layout, mean};
    TwoSums own = gradient_sums(arrived);
    const TwoSums sums = of_all(reinterpret_cast<Peers*>(ctx->saved_data["peers"].toInt()), own);
    const double count = ctx->saved_data["count"].toDouble();
    Numbers gain(gamma.size()), slope(gamma.size()), offset(gamma.size());
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      gain[c] = gamma[c] * sign(scale[c]) * inv_std[c];
      slope[c] = -gain[c] * inv_std[c] * inv_std[c] * sums.b[c] / count;
      offset[c] = -gain[c] * sums.a[c] / count;
      own.b[c] *= sign(scale[c]) * inv_std[c];
    }
    // What is left out has no part in the statistics either.
    const at::Tensor dz = ctx->saved_data["idle"].toBool() ? at::zeros_like(z)
                                                           : gradient(arrived, gain, slope, offset);
    return {dz, to_tensor(own.b), to_tensor(own.a), {}, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

double join(const NormPeers& of, double count, ChannelStatistics& found) {
  if (of.peers == nullptr) return count;
  if (of.idle) count = 0;
  const auto channels = static_cast<std::int64_t>(found.mean.size());
  const at::Tensor sums = at::zeros({2 * channels + 1}, at::kDouble);
  double* const to = sums.data_ptr<double>();
  for (std::size_t c = 0; !of.idle && c < found.mean.size(); ++c) {
    to[c] = count * found.mean[c];
    to[found.mean.size() + c] = count * (found.var[c] + found.mean[c] * found.mean[c]);
  }
  to[2 * channels] = count;
  of.peers->sum(sums);
  count = to[2 * channels];
  for (std::size_t c = 0; c < found.mean.size(); ++c) {
    found.mean[c] = to[c] / count;
    const double var = to[found.mean.size() + c] / count - found.mean[c] * found.mean[c];
    found.var[c] = std::isnan(var) ? var : std::max(var, 0.0);
  }
  return count;
}

at::Tensor norm_requantise(const at::Tensor& z, const at::Tensor& gamma, const at::Tensor& beta,
                           const at::Tensor& scale, double eps, const ActFormat* format,
                           at::ScalarType out, BatchStatistics& seen, const NormPeers& peers) {
  NBQ_CHECK(gamma.numel() == z.size(1) && (!scale.defined() || scale.numel() == z.size(1)));
  const bool wants_gradient = at::GradMode::is_enabled() &&
                              (z.requires_grad() || gamma.requires_grad() || beta.requires_grad());
  if (z.is_cuda())
    return norm_requantise_cuda(z, gamma, beta, scale, eps, format, out, wants_gradient, seen,
                                peers);
  return NormRequantise::apply(z, gamma, beta, &scale, eps, format, out, wants_gradient, &seen,
                               &peers);
}

}  // namespace nbq
