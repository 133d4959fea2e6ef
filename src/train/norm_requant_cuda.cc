// norm_requantise() on the GPU: the same steps as norm_requant.cc, each a kernel. Numbers per
// channel stay there, but for a norm that processes share.
#include <cmath>

#include "train/norm_requant.h"
#include "train/tensor_data.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Channels innermost: [N, C, H, W] in channels_last order, or [N, C].
at::Tensor rows_of(const at::Tensor& t) {
  return t.dim() == 4 ? t.contiguous(at::MemoryFormat::ChannelsLast) : t.contiguous();
}

cuda::Map map_of(const at::Tensor& t) { return {t.numel() / t.size(1), t.size(1)}; }

const float* data(const at::Tensor& scale) {
  return scale.defined() ? scale.data_ptr<float>() : nullptr;
}

at::Tensor numbers(const at::Tensor& like, std::int64_t count, at::ScalarType type) {
  return at::empty({count}, like.options().dtype(type));
}

/// All processes' elements of a channel, whose statistics mean and var become.
double join_tensors(const NormPeers& of, double count, const at::Tensor& mean,
                    const at::Tensor& var) {
  if (of.peers == nullptr) return count;
  at::Tensor m = mean.cpu(), v = var.cpu();
  double* const a = m.data_ptr<double>();
  double* const b = v.data_ptr<double>();
  ChannelStatistics found{{a, a + m.numel()}, {b, b + v.numel()}};
  count = join(of, count, found);
  std::copy(found.mean.begin(), found.mean.end(), a);
  std::copy(found.var.begin(), found.var.end(), b);
  mean.copy_(m);
  var.copy_(v);
  return count;
}

struct NormRequantiseCuda : torch::autograd::Function<NormRequantiseCuda> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const at::Tensor& gamma,
                            const at::Tensor& beta, const at::Tensor* scale, double eps,
                            const ActFormat* format, at::ScalarType type, bool wants_gradient,
                            BatchStatistics* seen, const NormPeers* peers) {
    const at::Tensor z = rows_of(given);
    const cuda::Map map = map_of(z);
    const std::int64_t channels = map.channels;
    const at::Tensor partial = numbers(z, cuda::partial_sums(map), at::kDouble);
    *seen = {numbers(z, channels, at::kDouble), numbers(z, channels, at::kDouble)};
    double* const mean = seen->mean.data_ptr<double>();
    double* const var = seen->var.data_ptr<double>();
    cuda::norm_statistics(cuda_array(z), map, partial.data_ptr<double>(), mean, var);
    const double count = join_tensors(*peers, static_cast<double>(map.rows), seen->mean, seen->var);
    const at::Tensor per_channel = numbers(z, 4 * channels, at::kFloat);
    float* const n = per_channel.data_ptr<float>();
    const cuda::NormNumbers made{n, n + channels, n + 2 * channels, n + 3 * channels};
    cuda::norm_numbers({mean, var, gamma.data_ptr<float>(), beta.data_ptr<float>(), data(*scale)},
                       {eps, format == nullptr ? 1.0 : std::ldexp(1.0, -format->exp),
                        format == nullptr ? 0.0 : 0.5, count > 1 ? count / (count - 1) : 1.0},
                       channels, made);
    const at::Tensor out = at::empty_like(z, z.options().dtype(type));
    at::Tensor mask;
    if (wants_gradient) {
      if (format != nullptr) mask = make_mask(mask_words(z.numel()), z.device());
      ctx->save_for_backward({z, gamma, per_channel, mask, *scale});
      ctx->saved_data["count"] = count;
      ctx->saved_data["idle"] = peers->idle;
      ctx->saved_data["peers"] = reinterpret_cast<std::int64_t>(peers->peers);
    }
    cuda::norm_apply(cuda_array(z), map, made, format, cuda_array(out), mask_data(mask));
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& z = saved[0];
    const cuda::Map map = map_of(z);
    const std::int64_t channels = map.channels;
    const float* const n = saved[2].data_ptr<float>();
    const float *const mean = n, *const inv_std = n + channels;
    const MaskWord* const mask = mask_data(saved[3]);
    const at::Tensor grad = rows_of(grads[0]);
    const at::Tensor partial = numbers(z, cuda::partial_sums(map), at::kDouble);
    const at::Tensor own = numbers(z, 2 * channels, at::kDouble);
    cuda::norm_gradient_sums(cuda_array(grad), mask, cuda_array(z), map, mean,
                             partial.data_ptr<double>(), own.data_ptr<double>());
    auto* const peers = reinterpret_cast<Peers*>(ctx->saved_data["peers"].toInt());
    const at::Tensor all = peers == nullptr ? own : own.clone();
    if (peers != nullptr) peers->sum_all(std::vector<at::Tensor>{all});
    const at::Tensor slopes = numbers(z, 3 * channels, at::kFloat);
    const at::Tensor dgamma = numbers(z, channels, at::kFloat),
                     dbeta = numbers(z, channels, at::kFloat);
    float* const s = slopes.data_ptr<float>();
    const cuda::NormSlopes made{s, s + channels, s + 2 * channels, dgamma.data_ptr<float>(),
                                dbeta.data_ptr<float>()};
    cuda::norm_slopes(saved[1].data_ptr<float>(), data(saved[4]), inv_std, all.data_ptr<double>(),
                      own.data_ptr<double>(), ctx->saved_data["count"].toDouble(), channels, made);
    // What is left out has no part in the statistics either.
    at::Tensor dz;
    if (ctx->saved_data["idle"].toBool()) {
      dz = at::zeros_like(z);
    } else {
      dz = at::empty_like(z);
      cuda::norm_gradient(cuda_array(grad), mask, cuda_array(z), map, mean, made, cuda_array(dz));
    }
    return {dz, dgamma, dbeta, {}, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor norm_requantise_cuda(const at::Tensor& z, const at::Tensor& gamma,
                                const at::Tensor& beta, const at::Tensor& scale, double eps,
                                const ActFormat* format, at::ScalarType out, bool wants_gradient,
                                BatchStatistics& seen, const NormPeers& peers) {
  NBQ_CHECK(z.numel() != 0 && gamma.is_contiguous() && beta.is_contiguous());
  return NormRequantiseCuda::apply(z, gamma, beta, &scale, eps, format, out, wants_gradient, &seen,
                                   &peers);
}

}  // namespace nbq
