#include "train/weight_method.h"

namespace nbq {
namespace {

constexpr double kKeep = 0.9;  // of the basis at each step: the authors' moving average
constexpr int kFirstRounds = 20;

/// Zhang et al. 2018: each channel's weights take the 2^K values +-v_1 .. +-v_K of a learnt basis
/// v. Each step does one round of QEM: the nearest value of every weight, then the least-squares
/// basis for these. The gradient passes straight through.
struct LqNets : WeightMethod {
  LqNets(const at::Tensor& w, int k) : bits(k) {
    const int values = 1 << bits;
    signs = at::empty({values, bits}, at::kFloat);
    for (int i = 0; i < values; ++i)
      for (int b = 0; b < bits; ++b) signs[i][b] = ((i >> b) & 1) != 0 ? 1.0f : -1.0f;
    at::Tensor doubling = at::empty({1, bits});
    for (int b = 0; b < bits; ++b) doubling[0][b] = std::ldexp(1.0, b + 1 - bits);
    signs = signs.to(w.device());
    basis = w.flatten(1).abs().mean(1, true) * doubling.to(w.device());
    for (int i = 0; i < kFirstRounds; ++i) basis.copy_(fitted(w));
  }

  struct Nearest {
    at::Tensor code;   ///< row of `signs`, [channels, weights a channel]
    at::Tensor value;  ///< likewise
  };
  Nearest nearest(const at::Tensor& w) const {
    const at::Tensor rows = w.detach().flatten(1).contiguous();
    // A sum, not a matrix product: that bfloat16 training would round.
    const auto [values, order] = (basis.unsqueeze(1) * signs).sum(2).sort(1);
    const std::int64_t n = values.size(1);
    const at::Tensor middles = ((values.slice(1, 0, n - 1) + values.slice(1, 1, n)) / 2);
    const at::Tensor place = at::searchsorted(middles.contiguous(), rows);
    return {order.gather(1, place), values.gather(1, place)};
  }
  /// The basis of least squared error for the present codes, [channels, K].
  at::Tensor fitted(const at::Tensor& w) const {
    const at::Tensor rows = w.detach().flatten(1);
    const at::Tensor b = signs.index({nearest(w).code});  // [channels, weights, K]
    const at::Tensor square = at::bmm(b.transpose(1, 2), b);
    const at::Tensor ridge =
        at::eye(bits, rows.options()) * (1e-4 * static_cast<double>(rows.size(1)));
    const at::Tensor right = at::bmm(b.transpose(1, 2), rows.unsqueeze(2));
    // The ridge draws towards the present basis, which matters only where codes don't tell.
    return at::linalg_solve(square + ridge, right + at::matmul(ridge, basis.unsqueeze(2)))
        .squeeze(2);
  }

  at::Tensor weight(const at::Tensor& w) override {
    return straight_through(w, nearest(w).value.view(w.sizes()));
  }
  void begin_step(const at::Tensor& w, double) override {
    basis.mul_(kKeep).add_(fitted(w), 1 - kKeep);
  }
  std::vector<at::Tensor> kept() const override { return {basis}; }

  int bits;
  at::Tensor signs;  ///< [2^K, K]
  at::Tensor basis;  ///< [channels, K]
};

}  // namespace

MethodFacts facts_lq_nets(int bits, std::int64_t channels) {
  return {1 << bits, 4 * bits * channels};
}

std::unique_ptr<WeightMethod> make_lq_nets(const at::Tensor& w, int bits) {
  return std::make_unique<LqNets>(w, bits);
}

}  // namespace nbq
