// How a quantised network's weights lie in the range of their codes.
#include "model/quantise.h"
#include "train/live_norm.h"
#include "train/torch_net.h"

namespace nbq {
namespace {

/// Parts of a channel's weights beyond which its exponent moves. One step up or down leads well
/// inside them.
constexpr double kManyClipped = 0.1;   // above 3/2 of the largest level
constexpr double kFewLarge = 0.004;    // that need one of the two largest levels
constexpr double kManyNonzero = 0.85;  // of two bits, which have one level
constexpr double kFewNonzero = 0.15;

/// +1, 0 or -1 for each channel of weights u [channels, weights a channel].
at::Tensor moves(const at::Tensor& u, const at::Tensor& exps, int max_k, bool per_layer) {
  const at::Tensor size =
      at::abs(u) * at::exp2(-exps.to(at::kFloat) - double(max_k - 1)).unsqueeze(1);
  const auto part_above = [&](double edge) {
    const at::Tensor part = (size >= edge).to(at::kFloat).mean(1);
    return per_layer ? part.mean().expand_as(part) : part;
  };
  at::Tensor up, unused;
  if (max_k == 1) {  // not up where all would then be zero, as of weights that are nearly alike
    up = (part_above(0.5) > kManyNonzero).logical_and(part_above(1) >= kFewNonzero);
    unused = part_above(0.5) < kFewNonzero;
  } else {
    up = part_above(1.5) > kManyClipped;
    unused = part_above(0.375) < kFewLarge;
  }
  const at::Tensor some = u.abs().amax(1) > 0;  // zeros have no scale
  const at::Tensor down = unused.logical_and(per_layer ? some.any().expand_as(some) : some);
  return up.to(at::kInt) - down.to(at::kInt);
}

}  // namespace

at::Tensor TorchNet::norm_scale(std::size_t id) const {
  const Pass pass;
  return norm_affine(context(id, pass)).scale;
}

Status TorchNet::follow_exps(bool per_layer) {
  NBQ_CHECK(graph_.stage == Stage::kQuantised);
  const at::NoGradGuard no_grad;
  bool moved = false;
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    Node& n = graph_.nodes[id];
    if (!n.norm || n.po2.bits < 2 || !n.act.quantised()) continue;
    const at::Tensor scale = norm_scale(id);
    const at::Tensor& w = tensors_[id].at("weight");
    const at::Tensor u = w.detach().flatten(1) * scale.unsqueeze(1);
    const at::Tensor by =
        moves(u, weight_exp_tensors_[id], Po2Format{n.po2.bits}.max_k(), per_layer).cpu();
    const Node& operand = graph_.nodes[static_cast<std::size_t>(n.inputs[0])];
    for (std::size_t c = 0; c < n.po2.exps.size(); ++c) {
      const int now = n.po2.exps[c];
      const int next = std::max(now + by[static_cast<std::int64_t>(c)].item<int>(),
                                least_weight_exp(n, operand));
      moved = moved || next != now;
      n.po2.exps[c] = next;
    }
  }
  return moved ? find_acc_exps() : ok_status();
}

void TorchNet::settle_norms(const std::map<int, BatchStatistics>& seen, int batches) {
  const at::NoGradGuard no_grad;
  for (const auto& [id, sums] : seen) {
    Params& p = tensors_[static_cast<std::size_t>(id)];
    const double eps = static_cast<double>(graph_.nodes[static_cast<std::size_t>(id)].norm->eps);
    const at::Tensor s = norm_scale(static_cast<std::size_t>(id)).to(at::kDouble);
    // Channels of no gain keep what they have.
    const at::Tensor some = at::abs(s) > 1e-12;
    const at::Tensor divisor = at::where(some, s, at::ones_like(s));
    const at::Tensor var = sums.var / batches / divisor.square(),
                     mean = sums.mean / batches / divisor;
    const auto put = [&](const char* name, const at::Tensor& value) {
      at::Tensor& kept = p.at(name);
      kept.copy_(at::where(some, value, kept.to(at::kDouble)));
    };
    put("norm.weight", s * at::sqrt(var + eps));
    put("norm.running_var", var);
    put("norm.running_mean", mean);
  }
}

}  // namespace nbq
