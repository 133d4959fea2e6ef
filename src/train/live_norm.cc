#include "train/live_norm.h"

#include <cmath>

#include "train/norm_requant.h"

namespace nbq {
namespace {

std::span<float> values(const OpContext& op, const char* name) {
  const at::Tensor& t = op.params.at(name);
  return {t.data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}

void move(float& kept, double now, double momentum) {
  kept = static_cast<float>(kept + momentum * (now - static_cast<double>(kept)));
}

/// The layer's running statistics follow those that the batch's z, scale times its output, has.
void follow(const OpContext& op, std::span<const float> scale, const BatchStatistics& seen) {
  const double own = static_cast<double>(op.node().norm->momentum);
  const double momentum = op.pass.norm_momentum >= 0 ? op.pass.norm_momentum : own;
  const std::span<float> mean = values(op, "norm.running_mean"),
                         var = values(op, "norm.running_var");
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double s = static_cast<double>(scale[c]);
    if (!(std::fabs(s) > 1e-12)) continue;  // channels of no gain say nothing
    move(mean[c], seen.mean[c] / s, momentum);
    // The variance sets the scale at which the weights are quantised. Without learning beside it
    // that loop can run away: codes clip, the variance shrinks, the scale grows, more codes clip.
    if (!op.pass.means_only) move(var[c], seen.var[c] / (s * s), momentum);
  }
}

}  // namespace

NormAffine norm_affine(const OpContext& op) {
  const std::span<float> gamma = values(op, "norm.weight"), mean = values(op, "norm.running_mean"),
                         var = values(op, "norm.running_var");
  const double eps = static_cast<double>(op.node().norm->eps);
  const auto channels = static_cast<std::int64_t>(gamma.size());
  NormAffine made{at::empty({channels}, at::kFloat), at::empty({channels}, at::kFloat)};
  float* const scale = made.scale.data_ptr<float>();
  float* const offset = made.offset.data_ptr<float>();
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double s = static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(var[c]) + eps);
    scale[c] = static_cast<float>(s);
    offset[c] = static_cast<float>(-static_cast<double>(mean[c]) * s);
  }
  return made;
}

at::Tensor normed(const OpContext& op, const at::Tensor& z) {
  if (!op.live_norm()) return z;
  const at::Tensor scale = norm_affine(op).scale;
  const std::span<const float> s(scale.data_ptr<float>(), static_cast<std::size_t>(scale.numel()));
  // z is scale times the layer's output: its variance is scale^2 times as large, beside which eps
  // must stay what it was, and a negative scale has turned it around.
  std::vector<double> eps;
  for (const float v : s)
    eps.push_back(static_cast<double>(op.node().norm->eps) * static_cast<double>(v) *
                  static_cast<double>(v));
  const at::Tensor gamma = op.params.at("norm.weight") * scale.sign();
  const ActFormat& act = op.node().act;
  const ActFormat* const format = op.requantises() ? &act : nullptr;
  BatchStatistics seen;
  const at::Tensor y =
      norm_requantise(z, gamma, op.params.at("bias"), eps, format,
                      format == nullptr ? at::kFloat : act_type(act), seen, op.pass.norms);
  follow(op, s, seen);
  return y;
}

at::Tensor shared_batch_norm(const OpContext& op, const at::Tensor& x) {
  const auto& a = std::get<BatchNormAttrs>(op.node().attrs);
  const std::vector<double> eps(static_cast<std::size_t>(x.size(1)), static_cast<double>(a.eps));
  BatchStatistics seen;
  const at::Tensor y = norm_requantise(x, op.params.at("weight"), op.params.at("bias"), eps,
                                       nullptr, x.scalar_type(), seen, op.pass.norms);
  const std::span<float> mean = values(op, "running_mean"), var = values(op, "running_var");
  for (std::size_t c = 0; c < mean.size(); ++c) {
    move(mean[c], seen.mean[c], static_cast<double>(a.momentum));
    move(var[c], seen.var[c], static_cast<double>(a.momentum));
  }
  return y;
}

}  // namespace nbq
