#include "train/live_norm.h"

#include <cmath>

#include "train/cuda_kernels.h"
#include "train/norm_requant.h"

namespace nbq {
namespace {

float* data(const OpContext& op, const char* name) { return op.params.at(name).data_ptr<float>(); }

void move(float& kept, double now, double momentum) {
  kept = static_cast<float>(kept + momentum * (now - static_cast<double>(kept)));
}

/// Running statistics follow those that the batch's z, scale (undefined: 1) times the layer's
/// output, has. means_only: the variance sets the scale at which the weights are quantised. Without
/// learning beside it that loop can run away: codes clip, the variance shrinks, the scale grows,
/// more codes clip.
void follow(const at::Tensor& scale, const BatchStatistics& seen, double momentum, bool means_only,
            float* mean, float* var) {
  const float* const scales = scale.defined() ? scale.data_ptr<float>() : nullptr;
  const double* const m = seen.mean.data_ptr<double>();
  const double* const v = seen.var.data_ptr<double>();
  const std::int64_t channels = seen.mean.numel();
  if (seen.mean.is_cuda())
    return cuda::norm_follow(m, v, scales, momentum, means_only, channels, mean, var);
  for (std::int64_t c = 0; c < channels; ++c) {
    const double s = scales == nullptr ? 1 : static_cast<double>(scales[c]);
    if (!(std::fabs(s) > 1e-12)) continue;  // channels of no gain say nothing
    move(mean[c], m[c] / s, momentum);
    if (!means_only) move(var[c], v[c] / (s * s), momentum);
  }
}

/// What the deployed layer gives for z, were `mean` its mean: so that the layers after it are
/// measured with the inputs that they will have.
at::Tensor as_deployed(const OpContext& op, const at::Tensor& z, const at::Tensor& mean) {
  std::vector<std::int64_t> per_channel(static_cast<std::size_t>(z.dim()), 1);
  per_channel[1] = -1;
  const at::Tensor shift = op.params.at("bias") - mean.to(at::kFloat);
  const at::Tensor u = z.to(at::kFloat) + shift.view(per_channel);
  return op.requantises() ? requantise(u, op.node().act, act_type(op.node().act)) : u;
}

NormAffine make_affine(const OpContext& op) {
  const at::Tensor& given = op.params.at("norm.weight");
  const float *const gamma = data(op, "norm.weight"), *const mean = data(op, "norm.running_mean"),
                     *const var = data(op, "norm.running_var");
  const double eps = static_cast<double>(op.node().norm->eps);
  const std::int64_t channels = given.numel();
  const auto options = given.options().requires_grad(false);
  NormAffine made{at::empty({channels}, options), at::empty({channels}, options)};
  float* const scale = made.scale.data_ptr<float>();
  float* const offset = made.offset.data_ptr<float>();
  if (given.is_cuda()) {
    cuda::norm_affine(gamma, mean, var, eps, channels, scale, offset);
    return made;
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    const double s = static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(var[c]) + eps);
    scale[c] = static_cast<float>(s);
    offset[c] = static_cast<float>(-static_cast<double>(mean[c]) * s);
  }
  return made;
}

}  // namespace

const NormAffine& norm_affine(const OpContext& op) {
  if (!op.affine) op.affine = make_affine(op);
  return *op.affine;
}

at::Tensor normed(const OpContext& op, const at::Tensor& z) {
  if (!op.live_norm()) return z;
  const at::Tensor& scale = norm_affine(op).scale;
  const ActFormat& act = op.node().act;
  const ActFormat* const format = op.requantises() ? &act : nullptr;
  BatchStatistics seen;
  const at::Tensor y =
      norm_requantise(z, op.params.at("norm.weight"), op.params.at("bias"), scale,
                      static_cast<double>(op.node().norm->eps), format,
                      format == nullptr ? at::kFloat : act_type(act), seen, op.pass.norms);
  if (op.pass.seen != nullptr) {
    BatchStatistics& sums = (*op.pass.seen)[op.id];
    sums.mean = sums.mean.defined() ? sums.mean + seen.mean : seen.mean;
    sums.var = sums.var.defined() ? sums.var + seen.var : seen.var;
    return as_deployed(op, z, seen.mean);
  }
  const double own = static_cast<double>(op.node().norm->momentum);
  const double momentum = op.pass.norm_momentum >= 0 ? op.pass.norm_momentum : own;
  // Codes of one bit are the same at any scale: there is nothing for it to follow.
  const bool means_only = op.pass.means_only || op.node().po2.bits == 1;
  follow(scale, seen, momentum * op.pass.norm_pace, means_only, data(op, "norm.running_mean"),
         data(op, "norm.running_var"));
  return y;
}

at::Tensor shared_batch_norm(const OpContext& op, const at::Tensor& x) {
  const auto& a = std::get<BatchNormAttrs>(op.node().attrs);
  BatchStatistics seen;
  const at::Tensor y =
      norm_requantise(x, op.params.at("weight"), op.params.at("bias"), {},
                      static_cast<double>(a.eps), nullptr, x.scalar_type(), seen, op.pass.norms);
  follow({}, seen, static_cast<double>(a.momentum), false, data(op, "running_mean"),
         data(op, "running_var"));
  return y;
}

}  // namespace nbq
