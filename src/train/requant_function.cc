#include <ATen/Parallel.h>

#include <bit>
#include <cmath>

#include "train/train_op.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 1 << 15;  // elements that are worth a thread

float load(const float* p, std::int64_t i) { return p[i]; }
double load(const double* p, std::int64_t i) { return p[i]; }
float load(const at::BFloat16* p, std::int64_t i) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(p[i].x) << 16);
}
void store(float* p, std::int64_t i, float v) { p[i] = v; }
/// `v` has at most 8 significant bits, so the upper half is all of it.
void store(at::BFloat16* p, std::int64_t i, float v) {
  p[i].x = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(v) >> 16);
}

/// One fused pass: requantised values and the mask of the gradient (null: none wanted).
template <class In, class Out>
void run(const In* acc, Out* out, bool* mask, std::int64_t count, const ActFormat& f) {
  using Real = decltype(load(acc, 0));
  const Real to_units = std::ldexp(Real{1}, -f.exp);
  const float unit = std::ldexp(1.0f, f.exp);
  const Real lo = static_cast<Real>(f.lo), hi = static_cast<Real>(f.hi);
  at::parallel_for(0, count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Real t = load(acc, i) * to_units + Real{0.5};
      if (mask != nullptr) mask[i] = (t >= lo) & (t < hi + 1);
      // Clamping to integers commutes with floor, and makes the conversion below safe. NaN becomes lo.
      const Real u = t > lo ? (t < hi ? t : hi) : lo;
      const auto cut = static_cast<Real>(static_cast<std::int32_t>(u));
      const Real floor = cut > u ? cut - 1 : cut;
      store(out, i, static_cast<float>(floor) * unit);
    }
  });
}

template <class In>
void run_to(const at::Tensor& acc, const at::Tensor& out, bool* mask, const ActFormat& f) {
  const In* in = acc.data_ptr<In>();
  if (out.scalar_type() == at::kBFloat16)
    run(in, out.data_ptr<at::BFloat16>(), mask, acc.numel(), f);
  else
    run(in, out.data_ptr<float>(), mask, acc.numel(), f);
}

struct Requantise : torch::autograd::Function<Requantise> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const ActFormat* format,
                            at::ScalarType type, bool wants_gradient) {
    const at::Tensor acc = given.contiguous(given.suggest_memory_format());
    const at::Tensor out = at::empty_like(acc, acc.options().dtype(type));
    at::Tensor mask;
    if (wants_gradient) {
      mask = at::empty_like(acc, acc.options().dtype(at::kBool));
      ctx->save_for_backward({mask});
    }
    bool* const m = wants_gradient ? mask.data_ptr<bool>() : nullptr;
    switch (acc.scalar_type()) {
      case at::kBFloat16: run_to<at::BFloat16>(acc, out, m, *format); break;
      case at::kDouble: run_to<double>(acc, out, m, *format); break;
      default: run_to<float>(acc, out, m, *format);
    }
    ctx->saved_data["type"] = acc.scalar_type();
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const at::Tensor mask = ctx->get_saved_variables()[0];
    const at::ScalarType type = ctx->saved_data["type"].toScalarType();
    return {grad[0].to(type).mul(mask), {}, {}, {}};
  }
};

}  // namespace

at::Tensor requantise(const at::Tensor& acc, const ActFormat& format, at::ScalarType out) {
  const bool wants_gradient = at::GradMode::is_enabled() && acc.requires_grad();
  return Requantise::apply(acc, &format, out, wants_gradient);
}

}  // namespace nbq
